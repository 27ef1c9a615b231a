/**
 * The middle one of some measurements of time, at least three. A promise of so many milliseconds is held against it: for a moment
 * any machine stands still and makes one measurement late, while what is slow is slow most of the times.
 */
export function median(measuredMs: readonly number[]): number {
  if (measuredMs.length < 3) throw new Error('a middle takes three measurements');
  return [...measuredMs].sort((one, other) => one - other)[Math.floor(measuredMs.length / 2)] ?? Number.NaN;
}
