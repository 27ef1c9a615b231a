/** Controls, line and paragraph separators, and what turns the direction of writing: none of it may reach a terminal. */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** Text of a stranger as a terminal may be shown it: on one line, with every other character written out. */
export function printable(text: string): string {
  return text.replace(unsafe, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xff ? `\\u{${code.toString(16)}}` : `\\x${code.toString(16).padStart(2, '0')}`;
  });
}

/** Bytes as a person can read them: as text where they are UTF-8, else in hex; `limit` bytes of them. */
export function readableBytes(bytes: Buffer, limit: number): string {
  const shown = bytes.subarray(0, limit);
  const isCut = bytes.length > limit;
  const rest = isCut ? `\n… and ${bytes.length - limit} bytes more (--raw writes all of them)` : '';
  try {
    // A stream may end within a character, as a cut does.
    return printable(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(shown, { stream: isCut })) + rest;
  } catch {
    return shown.toString('hex').replace(/(.{2})(?=.)/g, '$1 ') + rest;
  }
}
