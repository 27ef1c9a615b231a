import { crc32 } from 'node:zlib';

/** What a frame of a spool says, read by the format's description and by nothing of the product. */
export type SpoolFact =
  | { readonly kind: 'open'; readonly requestId: string }
  | { readonly kind: 'close'; readonly requestId: string }
  | { readonly kind: 'other' };

const PREFIX_BYTES = 8;
const HEAD_BYTES = 7;
const LARGEST_PAYLOAD = 256 * 1024 + HEAD_BYTES;

/** Facts of all readable frames, wherever they begin: what is torn or damaged is stepped over. */
export function readSpoolFacts(bytes: Buffer): readonly SpoolFact[] {
  const facts: SpoolFact[] = [];
  let at = 0;
  while (at + PREFIX_BYTES + HEAD_BYTES <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    const end = at + PREFIX_BYTES + length;
    const whole = length >= HEAD_BYTES && length <= LARGEST_PAYLOAD && end <= bytes.length;
    if (!whole || crc32(bytes.subarray(at + PREFIX_BYTES, end)) !== bytes.readUInt32LE(at + 4)) {
      at += 1;
      continue;
    }
    facts.push(factOf(bytes[at + PREFIX_BYTES] ?? 0, bytes.subarray(at + PREFIX_BYTES + HEAD_BYTES, end)));
    at = end;
  }
  return facts;
}

function factOf(kind: number, body: Buffer): SpoolFact {
  if (kind === 1) return { kind: 'open', requestId: body.toString('utf8', 1, 1 + (body[0] ?? 0)) };
  if (kind === 2) return { kind: 'close', requestId: body.toString('utf8', 7, 7 + (body[6] ?? 0)) };
  return { kind: 'other' };
}
