/**
 * JSON text that is the same for equal values: members by name in UTF-16 order, no white space (RFC 8785). Members that are
 * undefined are left out. Only for what is hashed; events are hashed as the bytes they came in.
 * @throws {TypeError} for what has no JSON form (a bigint, a function): say it as text first.
 */
export function canonicalJson(value: unknown): string {
  if (value instanceof Date) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    members.sort(([left], [right]) => (left < right ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
  }
  const text = JSON.stringify(typeof value === 'string' ? value.toWellFormed() : value);
  if (text === undefined) throw new TypeError(`a ${typeof value} has no JSON form`);
  return text;
}
