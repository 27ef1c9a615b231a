const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;
const ROTATION = 24;

/**
 * Murmur2 as Kafka's clients compute it over a key's UTF-8 bytes, as a signed 32-bit integer.
 * @see org.apache.kafka.common.utils.Utils.murmur2
 */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let hash = SEED ^ length;
  const aligned = length & ~3;
  for (let index = 0; index < aligned; index += 4) {
    let word = byteAt(bytes, index) | (byteAt(bytes, index + 1) << 8) | (byteAt(bytes, index + 2) << 16) | (byteAt(bytes, index + 3) << 24);
    word = Math.imul(word, MULTIPLIER);
    word ^= word >>> ROTATION;
    word = Math.imul(word, MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  const rest = length - aligned;
  if (rest >= 3) hash ^= byteAt(bytes, aligned + 2) << 16;
  if (rest >= 2) hash ^= byteAt(bytes, aligned + 1) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ byteAt(bytes, aligned), MULTIPLIER);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, MULTIPLIER);
  hash ^= hash >>> 15;
  return hash | 0;
}

/** Partition of a key: Kafka's default partitioner, so that any other producer of the topic agrees (DESIGN.md, "topic key and partitions"). */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % partitions;
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
