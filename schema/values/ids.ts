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
  providerCredential: 'crd',
  model: 'mdl',
  route: 'rte',
  budget: 'bud',
  budgetAlert: 'alr',
  alertChannel: 'chn',
  alertDelivery: 'dlv',
  rateLimit: 'rlm',
  auditEvent: 'aud',
  deadLetter: 'dlt',
  node: 'nod',
  counter: 'ctr',
} as const;
export type IdKind = keyof typeof ID_PREFIXES;

/** A UUID is 128 bits; 26 digits of 5 bits are 130, so the text starts with two zero bits and its first digit is at most 7. */
const TEXT_LENGTH = 26;
const UUID_BYTES = 16;
const DASH = '-'.charCodeAt(0);
const ENTROPY_BYTES = 10;
const MAX_TIME_MS = 2 ** 48 - 1;
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const DIGIT_CODES = codesOf(ALPHABET);
const HEX_CODES = codesOf('0123456789abcdef');
const DIGIT_OF = new Map([...ALPHABET].map((character, digit) => [character, digit]));
const KIND_OF_PREFIX = new Map(Object.entries(ID_PREFIXES).map(([kind, prefix]) => [prefix as string, kind as IdKind]));
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The sixteen bytes in hand; written and read within one call, never across calls. */
const scratch = new Uint8Array(UUID_BYTES);
/**
 * The characters of the text in hand, likewise. A text that is put together piece by piece stays a tree of its pieces, ten times the size, and there are
 * tens of thousands of ids in a snapshot of the registry.
 */
const ID_CODES = new Map<string, number[]>(
  Object.entries(ID_PREFIXES).map(([kind, prefix]) => [kind, codesOf(`${prefix}_${'0'.repeat(TEXT_LENGTH)}`)]),
);
const UUID_CODES = codesOf('00000000-0000-0000-0000-000000000000');

/**
 * A fresh UUIDv7 as 32 lower-case hex digits with dashes.
 * @param nowMs epoch milliseconds in 48 bits; a fraction is dropped.
 * @param entropy at least 10 random bytes, of which 74 bits are used.
 * @throws {RangeError} when the time does not fit or bytes are missing: an id with less entropy would not be unique.
 */
export function mintUuid(nowMs: number, entropy: Uint8Array): string {
  fillUuidV7(nowMs, entropy);
  return uuidText();
}

/** Whether a text is a uuid. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** A fresh id in text form. @see mintUuid */
export function mintId(kind: IdKind, nowMs: number, entropy: Uint8Array): string {
  fillUuidV7(nowMs, entropy);
  return idText(kind);
}

/**
 * Text form of a uuid.
 * @throws {RangeError} when it is none; uuids come from our own columns.
 */
export function idFromUuid(kind: IdKind, uuid: string): string {
  if (!UUID.test(uuid)) throw new RangeError(`not a uuid: ${JSON.stringify(uuid.slice(0, 40))}`);
  // A snapshot of the registry has tens of thousands of them: no text is made on the way.
  let position = 0;
  for (let index = 0; index < UUID_BYTES; index++) {
    if (uuid.charCodeAt(position) === DASH) position += 1;
    scratch[index] = (hexValue(uuid.charCodeAt(position)) << 4) | hexValue(uuid.charCodeAt(position + 1));
    position += 2;
  }
  return idText(kind);
}

/** The uuid of an id of this kind, or null when the text is none. Never throws: ids come from outside. */
export function uuidFromId(kind: IdKind, id: string): string | null {
  const start = ID_PREFIXES[kind].length + 1;
  if (id.length !== start + TEXT_LENGTH || !id.startsWith(`${ID_PREFIXES[kind]}_`)) return null;
  if (id.charAt(start) > '7') return null;
  let pending = 0;
  let pendingBits = -2;
  let index = 0;
  for (let position = start; position < id.length; position++) {
    const digit = DIGIT_OF.get(id.charAt(position));
    if (digit === undefined) return null;
    pending = ((pending << 5) | digit) & 0xfff;
    pendingBits += 5;
    if (pendingBits >= 8) {
      pendingBits -= 8;
      scratch[index++] = pending >> pendingBits;
    }
  }
  return uuidText();
}

/** Epoch milliseconds in a UUIDv7: the ledger's `occurred_at`, so that one id can never lie in two partitions. */
export function uuidTimeMs(uuid: string): number {
  return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}

/** The kind whose prefix an id carries, or null. Says nothing about the rest of the text. */
export function idKind(id: string): IdKind | null {
  const end = id.lastIndexOf('_');
  return end < 0 ? null : (KIND_OF_PREFIX.get(id.slice(0, end)) ?? null);
}

/** Of a digit in either case, which {@link UUID} has made sure of: `0`–`9` are 48–57, letters end in their place in the alphabet. */
function hexValue(code: number): number {
  return code <= 57 ? code - 48 : (code & 0x1f) + 9;
}

function fillUuidV7(nowMs: number, entropy: Uint8Array): void {
  if (!(nowMs >= 0 && nowMs <= MAX_TIME_MS)) throw new RangeError(`no UUIDv7 for the time ${nowMs}`);
  if (entropy.length < ENTROPY_BYTES) throw new RangeError(`a UUIDv7 needs ${ENTROPY_BYTES} random bytes, got ${entropy.length}`);
  const high = Math.floor(nowMs / 2 ** 32);
  const low = nowMs >>> 0;
  scratch[0] = high >> 8;
  scratch[1] = high;
  scratch[2] = low >>> 24;
  scratch[3] = low >>> 16;
  scratch[4] = low >>> 8;
  scratch[5] = low;
  for (let index = 0; index < ENTROPY_BYTES; index++) scratch[6 + index] = entropy[index] ?? 0;
  scratch[6] = 0x70 | (byteAt(6) & 0x0f);
  scratch[8] = 0x80 | (byteAt(8) & 0x3f);
}

function idText(kind: IdKind): string {
  const codes = ID_CODES.get(kind) ?? [];
  let at = codes.length - TEXT_LENGTH;
  let pending = 0;
  let pendingBits = 2;
  for (let index = 0; index < UUID_BYTES; index++) {
    pending = ((pending << 8) | byteAt(index)) & 0xfff;
    pendingBits += 8;
    while (pendingBits >= 5) {
      pendingBits -= 5;
      codes[at++] = DIGIT_CODES[(pending >> pendingBits) & 31] ?? 0;
    }
  }
  return String.fromCharCode(...codes);
}

function uuidText(): string {
  let at = 0;
  for (let index = 0; index < UUID_BYTES; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) at += 1;
    UUID_CODES[at++] = HEX_CODES[byteAt(index) >> 4] ?? 0;
    UUID_CODES[at++] = HEX_CODES[byteAt(index) & 15] ?? 0;
  }
  return String.fromCharCode(...UUID_CODES);
}

function codesOf(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

function byteAt(index: number): number {
  return scratch[index] ?? 0;
}
