/** The middle of some measurements and how far they lie apart. */
export type Spread = { readonly median: number; readonly lowest: number; readonly highest: number };

/** @throws RangeError where there is nothing to take the middle of. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((left, right) => left - right);
  const [lowest, highest] = [sorted[0], sorted.at(-1)];
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (lowest === undefined || highest === undefined || upper === undefined || lower === undefined) throw new RangeError('no measurements');
  return { median: (lower + upper) / 2, lowest, highest };
}

/** `81 (78–86)`. */
export function showSpread(spread: Spread, digits: number): string {
  return `${spread.median.toFixed(digits)} (${spread.lowest.toFixed(digits)}–${spread.highest.toFixed(digits)})`;
}
