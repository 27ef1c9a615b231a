import type { SentBody } from './sent-body.ts';
import { assembled } from './sent-body.ts';

/** A replacement of the bytes `[start, end)` by a text. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The bytes with all replacements made; the bytes themselves where there is none, and parts of them where a copy would be large. @param splices in order, not overlapping. */
export function spliced(bytes: Buffer, splices: readonly Splice[]): SentBody {
  if (splices.length === 0) return bytes;
  const parts: Buffer[] = [];
  let from = 0;
  for (const { start, end, text } of splices) {
    parts.push(bytes.subarray(from, start), Buffer.from(text, 'utf8'));
    from = end;
  }
  parts.push(bytes.subarray(from));
  return assembled(parts);
}
