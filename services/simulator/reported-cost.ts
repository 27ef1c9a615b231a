import type { TokenCounts } from './token-counts.ts';

/** Ten billion ticks are one US dollar: the unit xAI reports in, fine enough for every cost here to be a whole number. */
const ticksPerUsd = 10_000_000_000;

/** Prices in ticks per token: 0.20, 0.02 and 1.50 USD per million tokens of prompt, cached prompt and completion. */
const promptTicks = 2_000;
const cachedTicks = 200;
const completionTicks = 15_000;

export type ReportedCost = { readonly promptTicks: number; readonly completionTicks: number; readonly totalTicks: number };

/** What providers that report a cost charge for an answer. It is theirs to say, and need not be what the gateway computes. */
export function reportedCost(usage: TokenCounts): ReportedCost {
  const uncached = Math.max(0, usage.promptTokens - usage.cachedTokens);
  const prompt = uncached * promptTicks + usage.cachedTokens * cachedTicks;
  const completion = usage.completionTokens * completionTicks;
  return { promptTicks: prompt, completionTicks: completion, totalTicks: prompt + completion };
}

export const usdOfTicks = (ticks: number): number => ticks / ticksPerUsd;
