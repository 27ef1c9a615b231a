/** A replacement of the bytes `[start, end)` by a text. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The bytes with all replacements made; the bytes themselves where there is none. @param splices in order, not overlapping. */
export function spliced(bytes: Buffer, splices: readonly Splice[]): Buffer {
  return splices.length === 0 ? bytes : Buffer.concat(splicedPieces(bytes, splices));
}

/** The same without a copy, in pieces: for bodies that are too large to be held twice. */
export function splicedPieces(bytes: Buffer, splices: readonly Splice[]): readonly Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  for (const { start, end, text } of splices) {
    parts.push(bytes.subarray(from, start), Buffer.from(text, 'utf8'));
    from = end;
  }
  parts.push(bytes.subarray(from));
  return parts;
}
