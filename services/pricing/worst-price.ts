import type { TokenClass } from '../../schema/values/token-usage.ts';
import { INPUT_CLASSES, OUTPUT_CLASSES } from '../../schema/values/token-usage.ts';
import type { EffectivePrices } from './effective-prices.ts';
import { effectivePrices } from './effective-prices.ts';
import type { PriceSheet } from './price-sheet.ts';
import { SERVICE_TIERS } from './price-sheet.ts';

/** The dearest prices that a request of more than so many input tokens can meet, in pico-USD. */
interface WorstPrices {
  /** Exclusive. */
  readonly above: number;
  readonly input: bigint;
  readonly output: bigint;
  readonly request: bigint;
}

const worstPrices = new WeakMap<PriceSheet, readonly WorstPrices[]>();

/**
 * What a request can cost at most by a sheet: every token in its dearest class, in the dearest tier that is sold, in the dearest band of context
 * length that it can reach. Never below what `rateCost` gives for usage within the bounds.
 * @returns pico-USD; null where the sheet has no price for plain input or output.
 */
export function worstCost(sheet: PriceSheet, mostInputTokens: number, mostOutputTokens: number): bigint | null {
  let bands = worstPrices.get(sheet);
  if (bands === undefined) {
    bands = bandsOf(sheet);
    worstPrices.set(sheet, bands);
  }
  let worst: bigint | null = null;
  for (const { above, input, output, request } of bands) {
    if (above >= mostInputTokens && above > 0) continue;
    const cost = request + input * BigInt(mostInputTokens) + output * BigInt(mostOutputTokens);
    if (worst === null || cost > worst) worst = cost;
  }
  return worst;
}

function bandsOf(sheet: PriceSheet): WorstPrices[] {
  const plain = effectivePrices(sheet, 'standard', 0);
  if (typeof plain === 'string' || plain.input === null || plain.output === null) return [];
  const thresholds = [0, ...(sheet.longContext ?? []).map(({ aboveInputTokens }) => aboveInputTokens)];
  return thresholds.map((above) => {
    const sold = SERVICE_TIERS.map((tier) => effectivePrices(sheet, tier, above === 0 ? 0 : above + 1)).filter(
      (prices) => typeof prices !== 'string',
    );
    return {
      above,
      input: dearest(sold, INPUT_CLASSES),
      output: dearest(sold, OUTPUT_CLASSES),
      request: dearest(sold, ['request']),
    };
  });
}

function dearest(situations: readonly EffectivePrices[], units: readonly (TokenClass | 'request')[]): bigint {
  let most = 0n;
  for (const prices of situations) {
    for (const unit of units) {
      const price = prices[unit];
      if (price !== null && price > most) most = price;
    }
  }
  return most;
}
