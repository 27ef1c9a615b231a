import { isFields, parseFields } from '../../body/json-fields.ts';
import { vectorOf } from './embeddings-dialect.ts';

/** Where a first vector stands at the latest in an answer, in bytes. */
const HEAD_BYTES = 4_096;
const NUMBERS = /"embedding"\s*:\s*\[/;

/** A vector as OpenAI writes it in base64: 32-bit floats, little-endian. */
export function base64OfVector(vector: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(vector.length * Float32Array.BYTES_PER_ELEMENT);
  for (const [index, component] of vector.entries()) bytes.writeFloatLE(component, index * Float32Array.BYTES_PER_ELEMENT);
  return bytes.toString('base64');
}

/**
 * An answer in OpenAI's dialect whose vectors were asked for in base64 and came as numbers, since many servers do not know the difference: what decodes
 * them takes those for texts, and makes vectors without sense of them. Null where they came as asked.
 */
export function withBase64Vectors(answer: Buffer): Buffer | null {
  if (!NUMBERS.test(answer.toString('latin1', 0, HEAD_BYTES))) return null;
  const fields = parseFields(answer);
  if (fields === null || !Array.isArray(fields.data)) return null;
  const data = fields.data.map((item) => {
    const vector = isFields(item) ? vectorOf(item.embedding) : null;
    return vector === null ? item : { ...item, embedding: base64OfVector(vector) };
  });
  return Buffer.from(JSON.stringify({ ...fields, data }), 'utf8');
}
