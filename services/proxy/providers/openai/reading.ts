import type { MeaningOf } from './failure.ts';
import type { ReadCost } from './usage.ts';

/** How the answers of one provider are read where its way is not everybody's. */
export interface Reading {
  readonly readCost: ReadCost;
  /** What a refusal means, where the rules for all do not know it. */
  readonly meaningOf: MeaningOf;
}

/** Of a provider that reports no cost and refuses as all do. */
export const PLAIN_READING: Reading = { readCost: () => null, meaningOf: () => null };
