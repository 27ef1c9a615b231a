/**
 * The arguments of a call as an object, JSON, the numbers with their digits: for dialects that have no other. A model may write what is no JSON, or no
 * object; it goes as a text then.
 */
export function inputObject(json: string): string {
  if (json === '') return '{}';
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return json;
  } catch {
    // It goes as a text.
  }
  return JSON.stringify({ arguments: json });
}
