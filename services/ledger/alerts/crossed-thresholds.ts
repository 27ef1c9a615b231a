import { comesTo } from '../../../schema/values/budget-threshold.ts';

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

/**
 * The thresholds that are to be told now. Each stands for an amount, its share of the limit; it is crossed when what is settled has come to that
 * amount, and was below it when the threshold was last told of this counter, if ever. So what is settled climbs past an amount once in a window: a
 * raised limit sets a new one, a lowered limit or a credit does not bring back one that was passed.
 */
export function crossedThresholds({ settled, amount, thresholds, told }: JudgedCounter): CrossedThreshold[] {
  if (settled <= 0n) return [];
  return thresholds.flatMap((basisPoints) => {
    const before = told.get(basisPoints);
    const wasThere = before != null && before.settled !== null && comesTo(before.settled, amount, basisPoints);
    if (!comesTo(settled, amount, basisPoints) || wasThere) return [];
    return [{ basisPoints, occurrence: (before?.times ?? 0) + 1 }];
  });
}
