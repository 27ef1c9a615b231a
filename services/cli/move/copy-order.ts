/** A foreign key: rows of `from` name rows of `to`, which must be there first. */
export type Reference = { readonly from: string; readonly to: string };

/**
 * The tables in an order in which each comes after all that its rows refer to.
 * @throws Error where they refer to one another in a circle.
 */
export function copyOrder(tables: readonly string[], references: readonly Reference[]): readonly string[] {
  const ordered: string[] = [];
  const waiting = new Set(tables);
  while (waiting.size > 0) {
    const ready = [...waiting].filter((table) => !references.some(({ from, to }) => from === table && to !== table && waiting.has(to)));
    if (ready.length === 0) throw new Error(`these tables refer to one another in a circle: ${[...waiting].join(', ')}`);
    for (const table of ready) {
      waiting.delete(table);
      ordered.push(table);
    }
  }
  return ordered;
}
