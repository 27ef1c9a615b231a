import type { ServiceTier } from './price-sheet.ts';

/**
 * What providers call the tier they served a request in, as found in recordings and their documentation. `auto` is what some echo when they
 * do not say more (Groq, Together); the terminal events of those that resolve it name the real one (reference/providers.md 2.1, rule 7).
 * Prepaid capacity (OpenAI `scale`, Vertex `PROVISIONED_THROUGHPUT`, Bedrock `reserved`) is left out on purpose: its price is in a contract.
 */
const TIER_BY_NAME: ReadonlyMap<string, ServiceTier> = new Map<string, ServiceTier>([
  ['standard', 'standard'],
  ['default', 'standard'],
  ['auto', 'standard'],
  ['on_demand', 'standard'],
  ['ON_DEMAND', 'standard'],
  ['priority', 'priority'],
  ['ON_DEMAND_PRIORITY', 'priority'],
  ['flex', 'flex'],
  ['ON_DEMAND_FLEX', 'flex'],
  ['batch', 'batch'],
]);

/**
 * The tier that prices a request, or null when its price cannot be known.
 * @param name as the provider's answer spelled it; null when it names none, which is how those with a single tier answer.
 * @param batch the request came through a batch API, which is a tier of its own and cannot be combined with another.
 */
export function serviceTierOf(name: string | null, batch: boolean): ServiceTier | null {
  const tier = name === null ? 'standard' : (TIER_BY_NAME.get(name) ?? null);
  if (!batch) return tier;
  return tier === 'standard' || tier === 'batch' ? 'batch' : null;
}
