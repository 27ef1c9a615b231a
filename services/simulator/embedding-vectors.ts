import { fingerprint, SeededRandom } from './seeded-random.ts';

/**
 * A vector of length 1 that follows from the seed and the input alone: equal inputs get equal vectors, whenever they come. A shorter vector
 * is the beginning of a longer one, brought to length 1 again, as OpenAI shortens them. Not that near texts were near each other.
 */
export function embeddingVector(seed: number, input: string, dimensions: number): Float32Array {
  const random = new SeededRandom(seed, fingerprint(Buffer.from(input)), 0);
  const vector = Float32Array.from({ length: dimensions }, () => random.between(-1, 1));
  const norm = Math.hypot(...vector);
  return vector.map((component) => component / norm);
}

/** The components as JSON. What a reader makes of a text is the very 32-bit number that the base64 form holds. */
export const vectorJson = (vector: Float32Array): string => `[${vector.join(',')}]`;

/** The components as base64 of 32-bit little-endian floats, in quotes. */
export function vectorBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * Float32Array.BYTES_PER_ELEMENT);
  for (const [index, component] of vector.entries()) bytes.writeFloatLE(component, index * Float32Array.BYTES_PER_ELEMENT);
  return `"${bytes.toString('base64')}"`;
}
