/**
 * What was added to a map since the last call. The map must never lose a key; it may be another map after a failure of its
 * owner, with the same rows first.
 */
export function grown<Row>(map: () => ReadonlyMap<string, Row>): () => Row[] {
  let known: ReadonlyMap<string, Row> | null = null;
  let seen = 0;
  let rows: Iterator<Row> = [][Symbol.iterator]();
  return () => {
    const present = map();
    if (present !== known) {
      known = present;
      rows = present.values();
      for (let skipped = 0; skipped < seen; skipped++) rows.next();
    }
    const added: Row[] = [];
    // Never pulled past its end: an iterator that was stays there, whatever is added later.
    while (seen < present.size) {
      const { value, done } = rows.next();
      if (done === true) break;
      added.push(value);
      seen += 1;
    }
    return added;
  };
}
