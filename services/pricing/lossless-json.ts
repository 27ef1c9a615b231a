/**
 * Parses JSON and gives every number as the text it was written with, so that no digit of a price goes through a double
 * (`2.8e-08` stays `2.8e-08`).
 * @throws {SyntaxError} when the text is no JSON.
 */
export function parseLosslessJson(text: string): unknown {
  return JSON.parse(text, (_key: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' ? (context?.source ?? String(value)) : value,
  );
}
