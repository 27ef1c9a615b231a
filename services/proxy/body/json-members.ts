/** One member of a JSON object: its decoded key, where that begins with its quote, and where its value stands, `[start, end)` in bytes. */
export interface JsonMember {
  readonly key: string;
  readonly keyStart: number;
  readonly start: number;
  readonly end: number;
}

/** Where the value of a member stands. */
type JsonValueSpan = Pick<JsonMember, 'start' | 'end'>;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
/** Up to this many bytes of a string are looked at one by one; from there the native search is faster than the loop. */
const SHORT_STRING = 48;
/** Up to this many bytes are copied into a string to be searched. */
const SHORT_BODY = 4_096;

/**
 * The members of the JSON object that starts at or after `offset`, in order, duplicates included. Lets a value be replaced or
 * kept to the byte where parsing and printing again would lose digits, order and padding.
 * @param json bytes that `JSON.parse` accepts; what this gives for others is undefined, but it ends.
 * @returns null when the value at `offset` is no object.
 */
export function jsonMembers(json: Buffer, offset = 0): JsonMember[] | null {
  let at = skipSpace(json, offset);
  if (json[at] !== OPEN_BRACE) return null;
  at = skipSpace(json, at + 1);
  const members: JsonMember[] = [];
  while (at < json.length && json[at] === QUOTE) {
    const keyStart = at;
    const keyEnd = stringEnd(json, keyStart);
    const key = keyText(json, keyStart, keyEnd);
    const start = skipSpace(json, skipSpace(json, keyEnd) + 1);
    const end = valueEnd(json, start);
    members.push({ key, keyStart, start, end });
    at = skipSpace(json, end);
    if (json[at] !== COMMA) break;
    at = skipSpace(json, at + 1);
  }
  return members;
}

/**
 * The last member of that name in the object that is the whole of `json`, as {@link jsonMembers} has it. Looks from the end first:
 * what is asked for in an answer stands behind its long texts.
 * @param name ASCII without characters that JSON escapes.
 */
export function lastJsonMember(json: Buffer, name: string): JsonValueSpan | null {
  return memberNearEnd(json, name) ?? jsonMembers(json)?.findLast(({ key }) => key === name) ?? null;
}

/**
 * The one member of that name in the outermost object, found without a walk through all of it, or null when a walk is needed to
 * be certain.
 * @param json bytes that `JSON.parse` accepts and whose outermost object has such a member.
 * @param name as in {@link lastJsonMember}.
 */
export function soleMember(json: Buffer, name: string): JsonValueSpan | null {
  const quoted = `"${name}"`;
  const at = soleIndex(json, quoted);
  // Where it is written once and no key can be written in another way, that is the one. To look for one byte costs a quarter of looking for two.
  if (at < 0 || (json.includes(BACKSLASH) && json.includes('\\u'))) return null;
  const start = skipSpace(json, skipSpace(json, at + quoted.length) + 1);
  return { start, end: valueEnd(json, start) };
}

/** Where an ASCII text stands that is written once; -1 where it is not there, or more than once. */
function soleIndex(json: Buffer, text: string): number {
  // Each search of bytes is a call out of the language, which a short body is not worth; its offsets are the same as latin1.
  const searched = json.length <= SHORT_BODY ? json.toString('latin1') : json;
  const at = searched.indexOf(text);
  return at >= 0 && searched.indexOf(text, at + text.length) < 0 ? at : -1;
}

/** Null unless it is certain without a walk from the start. */
function memberNearEnd(json: Buffer, name: string): JsonValueSpan | null {
  const quoted = `"${name}"`;
  const at = json.lastIndexOf(quoted);
  // Behind a backslash the quote belongs to some text.
  if (at <= 0 || json[at - 1] === BACKSLASH) return null;
  const colon = skipSpace(json, at + quoted.length);
  if (json[colon] !== COLON) return null;
  const start = skipSpace(json, colon + 1);
  const end = valueEnd(json, start);
  // It stands in the outermost object when only members follow up to the brace that ends everything; one of them, with an
  // escape in its key, could have the same name.
  let rest = skipSpace(json, end);
  while (json[rest] === COMMA) {
    const key = skipSpace(json, rest + 1);
    if (json[key] !== QUOTE) return null;
    const keyEnd = stringEnd(json, key);
    if (hasEscape(json, key, keyEnd)) return null;
    rest = skipSpace(json, valueEnd(json, skipSpace(json, skipSpace(json, keyEnd) + 1)));
  }
  return json[rest] === CLOSE_BRACE && skipSpace(json, rest + 1) >= json.length ? { start, end } : null;
}

function hasEscape(json: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (json[at] === BACKSLASH) return true;
  return false;
}

function keyText(json: Buffer, start: number, end: number): string {
  const text = json.toString('utf8', start + 1, end - 1);
  if (!text.includes('\\')) return text;
  const decoded: unknown = JSON.parse(`"${text}"`);
  return String(decoded);
}

function skipSpace(json: Buffer, offset: number): number {
  let at = offset;
  for (;;) {
    const byte = json[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
    at += 1;
  }
}

/** Offset after the string whose opening quote stands at `start`. */
export function stringEnd(json: Buffer, start: number): number {
  let at = start + 1;
  const nearby = Math.min(json.length, at + SHORT_STRING);
  while (at < nearby) {
    const byte = json[at];
    if (byte === QUOTE) return at + 1;
    at += byte === BACKSLASH ? 2 : 1;
  }
  for (;;) {
    const quote = json.indexOf(QUOTE, at);
    if (quote < 0) return json.length;
    // The quote is escaped when an odd number of backslashes stands before it; `at` never lies behind an unpaired one.
    let backslashes = 0;
    while (quote - 1 - backslashes >= at && json[quote - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

/** Offset after the value that starts at `start`. */
function valueEnd(json: Buffer, start: number): number {
  const first = json[start];
  if (first === QUOTE) return stringEnd(json, start);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    let at = start;
    while (at < json.length && !endsScalar(json[at])) at += 1;
    return at;
  }
  let depth = 0;
  let at = start;
  while (at < json.length) {
    const byte = json[at];
    if (byte === QUOTE) {
      at = stringEnd(json, at);
      continue;
    }
    at += 1;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return at;
}

function endsScalar(byte: number | undefined): boolean {
  return (
    byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
  );
}
