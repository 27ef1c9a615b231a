import { rateCost } from '../../pricing/rate.ts';
import { priceAt } from '../../registry/catalog/compiled-prices.ts';
import type { AnswerFacts, FailureBilling } from '../providers/provider.ts';
import type { SettledCost } from '../settlement/settle.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';

/**
 * The cost of a call, by the price in force when the request was admitted.
 * @param billing what it costs when no usage was reported: nothing for certain, or nobody knows.
 */
export function costOfCall(
  target: Pick<CompiledModel, 'prices'>,
  admittedAtMs: number,
  { usage, units = null, serviceTier }: Pick<AnswerFacts, 'usage' | 'units' | 'serviceTier'>,
  billing: FailureBilling,
): SettledCost {
  if (usage === null && units === null && billing === 'free') return { kind: 'free' };
  const cost = rateCost(usage, units, { tier: serviceTier, batch: false, requests: 1 }, priceAt(target.prices, admittedAtMs));
  if (cost.kind === 'unrated') return { kind: 'unrated', reason: cost.reason };
  return { kind: 'rated', costPico: cost.cost, priceVersion: cost.priceVersion };
}
