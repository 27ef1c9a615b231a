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

/** The object that these bytes are, or null: what is no JSON, or half of it, says nothing. */
export function parseFields(json: Buffer | string): Fields | null {
  try {
    const value: unknown = JSON.parse(typeof json === 'string' ? json : json.toString('utf8'));
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}
