import { crc32 } from 'node:zlib';

/**
 * Virtual keys: `tpk_<kind>_<env>_<pub><secret><crc>`, 8 + 43 + 6 base62 characters (reference/graphql.md section 8).
 * The checksum lets a proxy or a secret scanner refuse a mistyped key without looking anything up.
 */
export const KEY_KINDS = ['ak', 'sa', 'pat', 'adm', 'wh'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];
export const KEY_ENVIRONMENTS = ['live', 'test'] as const;
export type KeyEnvironment = (typeof KEY_ENVIRONMENTS)[number];

/** What may be shown and stored of a key: never its secret part. */
export interface VirtualKeyFace {
  readonly kind: KeyKind;
  readonly environment: KeyEnvironment;
  /** Eight characters that find the key in lists and logs. */
  readonly publicPart: string;
  /** Last four characters of the secret, without the checksum. */
  readonly lastFour: string;
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PUBLIC_LENGTH = 8;
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const MAX_DRAWS = 16;
const SHAPE = /^tpk_(ak|sa|pat|adm|wh)_(live|test)_[0-9A-Za-z]{57}$/;

function checksum(body: string): string {
  let rest = crc32(body);
  let text = '';
  for (let index = 0; index < CHECKSUM_LENGTH; index++) {
    text = BASE62.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

/**
 * Mints a key from uniform random bytes by rejection sampling, so that each base62 digit is equally likely.
 * @param randomBytes returns that many random bytes; called again when too many were rejected (1 in 32 is).
 * @throws {Error} when 16 calls did not give enough: that is no random source.
 */
export function mintVirtualKey(kind: KeyKind, environment: KeyEnvironment, randomBytes: (count: number) => Uint8Array): string {
  let body = '';
  for (let draw = 0; draw < MAX_DRAWS && body.length < PUBLIC_LENGTH + SECRET_LENGTH; draw++) {
    for (const byte of randomBytes(64)) {
      if (byte < 248 && body.length < PUBLIC_LENGTH + SECRET_LENGTH) body += BASE62.charAt(byte % 62);
    }
  }
  if (body.length < PUBLIC_LENGTH + SECRET_LENGTH) throw new Error('the random source gives no usable bytes');
  const unchecked = `tpk_${kind}_${environment}_${body}`;
  return unchecked + checksum(unchecked);
}

/** The face of a well-formed key with a right checksum, else null. Says nothing about whether the key exists. */
export function parseVirtualKey(text: string): VirtualKeyFace | null {
  const match = SHAPE.exec(text);
  if (match === null || checksum(text.slice(0, -CHECKSUM_LENGTH)) !== text.slice(-CHECKSUM_LENGTH)) return null;
  const [, kind, environment] = match;
  const body = text.slice(-(PUBLIC_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH), -CHECKSUM_LENGTH);
  return {
    kind: kind as KeyKind,
    environment: environment as KeyEnvironment,
    publicPart: body.slice(0, PUBLIC_LENGTH),
    lastFour: body.slice(-4),
  };
}

/** Display form, safe to show and log: `tpk_ak_live_7f3KabcD…x9Qd`. */
export function displayVirtualKey(face: VirtualKeyFace): string {
  return `tpk_${face.kind}_${face.environment}_${face.publicPart}…${face.lastFour}`;
}

/** The public part in a display form. */
export function publicPartOf(display: string): string {
  const start = display.lastIndexOf('_') + 1;
  return display.slice(start, start + PUBLIC_LENGTH);
}
