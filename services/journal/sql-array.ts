/**
 * Arrays as single parameters, so that a batch of any size is one statement with one plan. `pg` would quote and escape every
 * element, which at a thousand rows of forty columns costs more than everything else in the batch.
 */

/** An array literal of values whose text never needs quotes: numbers, uuids, booleans, ISO 8601 instants. */
export function plainArray(values: readonly (string | number | bigint | boolean | null)[]): string {
  let text = '';
  for (const value of values) text += value === null ? ',NULL' : `,${value}`;
  return `{${text.slice(1)}}`;
}

/** An array literal of any texts, other array literals included. */
export function textArray(values: readonly (string | null)[]): string {
  let text = '';
  for (const value of values) text += value === null ? ',NULL' : `,${quoted(value)}`;
  return `{${text.slice(1)}}`;
}

/** Binary form of a non-empty `bytea[]` (`array_recv`): the bytes go over as they are, not as twice as many hex digits. */
export function byteaArray(values: readonly Buffer[]): Buffer {
  let length = 20;
  for (const value of values) length += 4 + value.length;
  const bytes = Buffer.allocUnsafe(length);
  // Dimensions, has nulls, element type, length and lower bound of the one dimension.
  for (const [index, field] of [1, 0, byteaOid, values.length, 1].entries()) bytes.writeInt32BE(field, 4 * index);
  let position = 20;
  for (const value of values) {
    position = bytes.writeInt32BE(value.length, position);
    position += value.copy(bytes, position);
  }
  return bytes;
}

const byteaOid = 17;
const special = /["\\]/g;

function quoted(text: string): string {
  return `"${text.includes('"') || text.includes('\\') ? text.replace(special, '\\$&') : text}"`;
}
