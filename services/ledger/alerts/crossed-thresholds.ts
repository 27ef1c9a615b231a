/** A counter as its thresholds are judged. Amounts are in the unit of its limit. */
export interface JudgedCounter {
  /** In the window, with what no debit covered. */
  readonly settled: bigint;
  /** The limit, with a raise that runs. */
  readonly amount: bigint;
  /** In hundredths of a percent. */
  readonly thresholds: readonly number[];
  /** What was told of this counter before, by threshold. */
  readonly told: ReadonlyMap<number, ToldThreshold>;
}

export interface ToldThreshold {
  /** How often. */
  readonly times: number;
  /** The most that was settled when it was told; null: a whole rolling window ago, which counts no more. */
  readonly settled: bigint | null;
}

export interface CrossedThreshold {
  readonly basisPoints: number;
  /** Which time it is told, from 1. */
  readonly occurrence: number;
}

const wholeBasisPoints = 10_000n;

/**
 * The thresholds that are to be told now. Each stands for an amount, its share of the limit; it is crossed when what is settled has come to that
 * amount, and was below it when the threshold was last told of this counter, if ever. So what is settled climbs past an amount once in a window: a
 * raised limit sets a new one, a lowered limit or a credit does not bring back one that was passed.
 */
export function crossedThresholds({ settled, amount, thresholds, told }: JudgedCounter): CrossedThreshold[] {
  const comesTo = (reached: bigint, basisPoints: number): boolean => reached * wholeBasisPoints >= amount * BigInt(basisPoints);
  if (settled <= 0n) return [];
  return thresholds.flatMap((basisPoints) => {
    const before = told.get(basisPoints);
    if (!comesTo(settled, basisPoints) || (before != null && before.settled !== null && comesTo(before.settled, basisPoints))) return [];
    return [{ basisPoints, occurrence: (before?.times ?? 0) + 1 }];
  });
}

/** Hundredths of a percent, of a threshold as a budget's definition has it: a percentage with at most two decimals. */
export function basisPointsOf(threshold: string): number {
  const [whole = '', fraction = ''] = threshold.split('.');
  return Number(whole) * 100 + Number(fraction.padEnd(2, '0'));
}
