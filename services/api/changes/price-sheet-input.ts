import { badInput } from '../../../schema/graphql/bad-input.ts';
import type { GivenPrices } from '../../../schema/graphql/ports/upstream-changes.ts';
import { parsePriceSheet, priceVersion } from '../../pricing/price-sheet.ts';
import type { ModelPriceInput } from '../../registry/model-prices.ts';

/** Where a price comes from that was set through this API. */
const source = 'api';
const perMillion = 1_000_000n;

function pricesOf({ units }: GivenPrices): Record<string, string> {
  const prices: Record<string, string> = Object.create(null);
  for (const { unit, usd, usdPerMillion } of units) {
    if (unit in prices) throw badInput(`The unit ${JSON.stringify(unit.slice(0, 64))} is priced twice in one tier.`);
    if (usdPerMillion !== null && usdPerMillion % perMillion !== 0n)
      throw badInput('A price is a whole number of 10⁻¹² USD a token: `usdPerMillion` has at most 6 decimal places.');
    prices[unit] = String(usdPerMillion === null ? (usd ?? 0n) : usdPerMillion / perMillion);
  }
  return { ...prices };
}

/**
 * The immutable price version that tiers come to: the same prices give the same version, in whatever order they are given.
 * @throws GraphQLError `BAD_USER_INPUT` naming what is wrong.
 */
export function priceSheetOf(tiers: readonly GivenPrices[]): ModelPriceInput {
  const base: Record<string, unknown> = Object.create(null);
  const long = new Map<number, Record<string, unknown>>();
  for (const tier of tiers) {
    const above = tier.aboveInputTokens;
    const into = above === null ? base : (long.get(above) ?? Object.create(null));
    if (above !== null) long.set(above, into);
    if (tier.tier === 'longContext' || tier.tier === 'aboveInputTokens' || tier.tier in into)
      throw badInput(`The tier ${JSON.stringify(tier.tier.slice(0, 64))} is given twice, or is none.`);
    into[tier.tier] = pricesOf(tier);
  }
  const longContext = [...long.entries()]
    .sort(([left], [right]) => left - right)
    .map(([aboveInputTokens, prices]) => ({ aboveInputTokens, ...prices }));
  try {
    const sheet = parsePriceSheet({ ...base, ...(longContext.length === 0 ? {} : { longContext }) });
    return { version: priceVersion(sheet), sheet, source };
  } catch (error) {
    if (error instanceof RangeError) throw badInput(error.message);
    throw error;
  }
}
