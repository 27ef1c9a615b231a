/**
 * Identifiers: TypeID text outside (`req_01h…`: a prefix and a UUIDv7 in Crockford base32), a `uuid` column inside.
 * The time in a UUIDv7 makes ids sort by creation and makes `occurred_at` a pure function of the id.
 * @see https://github.com/jetify-com/typeid (spec 0.3), RFC 9562 section 5.7
 */
export const ID_PREFIXES = {
  request: 'req',
  entry: 'ent',
  organization: 'org',
  team: 'team',
  user: 'usr',
  serviceAccount: 'svc',
  apiKey: 'key',
  apiKeySecret: 'sec',
  provider: 'prv',
  model: 'mdl',
  route: 'rte',
  auditEvent: 'aud',
  deadLetter: 'dlt',
  node: 'nod',
} as const;
export type IdKind = keyof typeof ID_PREFIXES;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TEXT_LENGTH = 26;
const digitOf = new Map([...ALPHABET].map((character, digit) => [character, BigInt(digit)]));

/**
 * A fresh UUIDv7 as 32 hex digits with dashes.
 * @param nowMs epoch milliseconds, 48 bits. @param entropy at least 10 random bytes.
 */
export function mintUuid(nowMs: number, entropy: Uint8Array): string {
  const time = nowMs.toString(16).padStart(12, '0');
  let tail = '';
  for (let index = 0; index < 10; index++) tail += (entropy[index] ?? 0).toString(16).padStart(2, '0');
  const variant = ((Number.parseInt(tail.slice(4, 5), 16) & 0x3) | 0x8).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(1, 4)}-${variant}${tail.slice(5, 8)}-${tail.slice(8, 20)}`;
}

/** Text form of a uuid. */
export function idFromUuid(kind: IdKind, uuid: string): string {
  let rest = BigInt(`0x${uuid.replaceAll('-', '')}`);
  let text = '';
  for (let index = 0; index < TEXT_LENGTH; index++) {
    text = ALPHABET.charAt(Number(rest & 31n)) + text;
    rest >>= 5n;
  }
  return `${ID_PREFIXES[kind]}_${text}`;
}

/** A fresh id in text form. @see mintUuid */
export function mintId(kind: IdKind, nowMs: number, entropy: Uint8Array): string {
  return idFromUuid(kind, mintUuid(nowMs, entropy));
}

/** The uuid of an id of this kind, or null when the text is none. Never throws: ids come from outside. */
export function uuidFromId(kind: IdKind, id: string): string | null {
  const prefix = `${ID_PREFIXES[kind]}_`;
  if (!id.startsWith(prefix) || id.length !== prefix.length + TEXT_LENGTH) return null;
  let value = 0n;
  for (const character of id.slice(prefix.length)) {
    const digit = digitOf.get(character);
    if (digit === undefined) return null;
    value = (value << 5n) | digit;
  }
  if (value >> 128n !== 0n) return null;
  const hex = value.toString(16).padStart(32, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Epoch milliseconds in a UUIDv7: the ledger's `occurred_at`, so that one id can never lie in two partitions. */
export function uuidTimeMs(uuid: string): number {
  return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}

/** The kind whose prefix an id carries, or null. */
export function idKind(id: string): IdKind | null {
  const prefix = id.slice(0, id.lastIndexOf('_'));
  for (const [kind, candidate] of Object.entries(ID_PREFIXES)) if (candidate === prefix) return kind as IdKind;
  return null;
}
