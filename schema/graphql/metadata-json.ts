/** Bounds of free metadata: what a person attaches to a key, never a place for documents. */
const longestBytes = 16_384;
const deepest = 5;

/** @throws RangeError where the value is too large or too deep. */
export function requireMetadata(value: unknown): unknown {
  if (depthOf(value, 0) > deepest) throw new RangeError(`metadata is nested at most ${deepest} deep`);
  if (Buffer.byteLength(JSON.stringify(value) ?? 'null') > longestBytes)
    throw new RangeError(`metadata has at most ${longestBytes} bytes as JSON`);
  return value;
}

/** Stops one level beyond the bound, so that a hostile depth costs nothing. */
function depthOf(value: unknown, level: number): number {
  if (typeof value !== 'object' || value === null || level > deepest) return level;
  let depth = level + 1;
  for (const member of Object.values(value)) depth = Math.max(depth, depthOf(member, level + 1));
  return depth;
}
