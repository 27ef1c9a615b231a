declare global {
  // Of ECMAScript 2026; Node has it, the types do not yet.
  interface JSON {
    rawJSON(text: string): unknown;
    parse(text: string, reviver: (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
  }
}

/** Without one of these every number is printed as it was written. */
const ROUGH_NUMBER = /\d{16}|\d[.eE]|-0/;

/**
 * A value that passes through: printed again by `JSON.stringify`, its numbers have the digits they came with, also those a double does not hold
 * (ids beyond 2^53, `1.0`). Such a number is no `number` in it, so it is not for reading. @throws {SyntaxError}
 */
export function parseExactJson(text: string): unknown {
  return ROUGH_NUMBER.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
}

function keepDigits(this: unknown, _key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === 'number' && source !== undefined && String(value) !== source ? JSON.rawJSON(source) : value;
}
