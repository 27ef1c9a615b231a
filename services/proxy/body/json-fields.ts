/** An object of parsed JSON, of which nothing else is known. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a parsed value is an object whose members can be looked at. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text that is not empty, or null. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
