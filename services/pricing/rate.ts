import type { PicoUsd } from '../../schema/values/money.ts';
import type { TokenClass, TokenUsage, UnitUsage } from '../../schema/values/token-usage.ts';
import { INPUT_CLASSES, OUTPUT_CLASSES, sumClasses } from '../../schema/values/token-usage.ts';
import type { EffectivePrices, UnpricedSituation } from './effective-prices.ts';
import { effectivePrices, longContextOf } from './effective-prices.ts';
import type { PricedUnit, PriceSheet, ServiceTier } from './price-sheet.ts';
import { priceVersion } from './price-sheet.ts';
import { serviceTierOf } from './service-tier.ts';

/** What besides the counts decides the price. All of it stands in the ledger's row, so that a cost can be computed again from it alone. */
export type RatingContext = {
  /** Tier of service as the provider's answer named it, not as it was asked for; null when it named none. */
  readonly tier: string | null;
  /** The call went through a batch API. */
  readonly batch: boolean;
  /** Calls billed by this rating: 1 for a request. */
  readonly requests: number;
};

/**
 * Why a request has no cost. Unknown is never 0 (DESIGN.md, invariant 5).
 * - `no_price`: the model has no sheet;
 * - `tier_unknown`: served in a tier the sheet has no prices for, or that we do not know;
 * - `combination_unknown`: the tier has no prices for a context this long;
 * - `usage_missing`: a side that costs money (input, output, or the only piece billed) was not reported at all;
 * - `usage_invalid`: a count is negative, or no safe integer;
 * - `price_missing`: something was used whose price the sheet does not know.
 */
export type UnratedReason = 'no_price' | UnpricedSituation | 'usage_missing' | 'usage_invalid' | 'price_missing';

/** One term of a cost. Lines of nothing used are left out. */
export type RatedLine = {
  readonly class: PricedUnit;
  /** Tokens or pieces; seconds of audio may be fractional. */
  readonly quantity: number;
  /** Pico-USD for one. */
  readonly unitPrice: PicoUsd;
  /** Pico-USD; the lines sum to the cost. */
  readonly cost: PicoUsd;
};

export type Unrated = { readonly kind: 'unrated'; readonly reason: UnratedReason };
/** A cost in pico-USD and the price version that gave it. */
export type Cost = { readonly kind: 'rated'; readonly cost: PicoUsd; readonly priceVersion: string } | Unrated;
/** A cost with the lines that make it up. */
export type Rating =
  | { readonly kind: 'rated'; readonly cost: PicoUsd; readonly lines: readonly RatedLine[]; readonly priceVersion: string }
  | Unrated;

/**
 * The exact cost of one request and how it comes about: pure, no clock, no float, the same for ever for the same arguments.
 * A class that is null was not split from its parent by the provider and costs nothing by itself.
 * @param usage disjoint token classes; null when the provider reported none.
 * @param units pieces; null when the provider reported none.
 * @param sheet null when the model has no known price.
 */
export function rate(usage: TokenUsage | null, units: UnitUsage | null, context: RatingContext, sheet: PriceSheet | null): Rating {
  const lines: RatedLine[] = [];
  const cost = costOf(usage, units, context, sheet, lines);
  return cost.kind === 'rated' ? { ...cost, lines } : cost;
}

/** {@link rate} without its lines, for the hot path: the same arithmetic, under half a microsecond. */
export function rateCost(usage: TokenUsage | null, units: UnitUsage | null, context: RatingContext, sheet: PriceSheet | null): Cost {
  return costOf(usage, units, context, sheet, null);
}

function costOf(
  usage: TokenUsage | null,
  units: UnitUsage | null,
  context: RatingContext,
  sheet: PriceSheet | null,
  lines: RatedLine[] | null,
): Cost {
  if (sheet === null) return unrated('no_price');
  const tier = serviceTierOf(context.tier, context.batch);
  if (tier === null) return unrated('tier_unknown');
  const totalInput = usage === null ? null : sumClasses(usage, INPUT_CLASSES);
  const totalOutput = usage === null ? null : sumClasses(usage, OUTPUT_CLASSES);
  const situation = situationOf(sheet, tier, totalInput ?? 0);
  if (typeof situation === 'string') return unrated(situation);
  if (totalInput === null && situation.needsInput) return unrated('usage_missing');
  if (totalOutput === null && situation.needsOutput) return unrated('usage_missing');
  if (situation.needsPiece !== null && (units === null || units[situation.needsPiece] === null)) return unrated('usage_missing');

  let cost = 0n;
  const add = (unit: PricedUnit, quantity: number | null): UnratedReason | null => {
    if (quantity === null || quantity === 0) return null;
    const divisible = unit === 'audioSecond';
    if (!(quantity > 0) || !(divisible ? Number.isFinite(quantity) : Number.isSafeInteger(quantity))) return 'usage_invalid';
    const unitPrice = situation.prices[unit];
    if (unitPrice === null) return unit === 'request' ? null : 'price_missing';
    const term = Number.isSafeInteger(quantity) ? unitPrice * BigInt(quantity) : timesDecimal(unitPrice, quantity);
    cost += term;
    lines?.push({ class: unit, quantity, unitPrice, cost: term });
    return null;
  };

  let failure: UnratedReason | null = add('request', context.requests);
  if (usage !== null) {
    for (const tokenClass of TOKEN_TERMS) failure ??= add(tokenClass, usage[tokenClass]);
  }
  if (units !== null) {
    failure ??= add('search', units.searches) ?? add('image', units.images) ?? add('audioSecond', units.audioSeconds);
  }
  return failure === null ? { kind: 'rated', cost, priceVersion: priceVersion(sheet) } : unrated(failure);
}

const TOKEN_TERMS: readonly TokenClass[] = [...INPUT_CLASSES, ...OUTPUT_CLASSES];

function unrated(reason: UnratedReason): Unrated {
  return { kind: 'unrated', reason };
}

/** Prices in force, and what must have been reported for a cost to be known. */
type Situation = {
  readonly prices: EffectivePrices;
  /** A side is needed when it costs money: its absence then is not "none". */
  readonly needsInput: boolean;
  readonly needsOutput: boolean;
  /** The piece that is billed where tokens are not. */
  readonly needsPiece: keyof UnitUsage | null;
};

/** Worked out once per sheet, tier and band of context length; goes with the sheet. */
const situations = new WeakMap<PriceSheet, Map<string, Situation | UnpricedSituation>>();

function situationOf(sheet: PriceSheet, tier: ServiceTier, totalInput: number): Situation | UnpricedSituation {
  let known = situations.get(sheet);
  if (known === undefined) {
    known = new Map();
    situations.set(sheet, known);
  }
  const threshold = longContextOf(sheet, totalInput)?.aboveInputTokens;
  const key = threshold === undefined ? tier : `${tier}>${threshold}`;
  let situation = known.get(key);
  if (situation === undefined) {
    const prices = effectivePrices(sheet, tier, totalInput);
    situation = typeof prices === 'string' ? prices : { prices, ...neededCounts(prices) };
    known.set(key, situation);
  }
  return situation;
}

function neededCounts(prices: EffectivePrices): Omit<Situation, 'prices'> {
  const costs = (price: bigint | null): boolean => price !== null && price > 0n;
  const { input, output, outputImage, image, audioSecond, search } = prices;
  const byToken = costs(input) || costs(output) || costs(outputImage);
  const onlyPiece = costs(image) ? 'images' : costs(audioSecond) ? 'audioSeconds' : costs(search) ? 'searches' : null;
  return { needsInput: costs(input), needsOutput: costs(output), needsPiece: byToken ? null : onlyPiece };
}

/**
 * Price times a decimal quantity. The quantity is its shortest decimal text, exactly (12.34 seconds are 1234 hundredths); the product is
 * rounded half to even to whole pico-USD, which only matters for quantities finer than a price's trailing zeros.
 */
function timesDecimal(unitPrice: bigint, quantity: number): bigint {
  const [mantissa = '0', exponent = '0'] = quantity.toString().split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const scale = fraction.length - Number(exponent);
  const product = unitPrice * BigInt(whole + fraction);
  if (scale <= 0) return product * 10n ** BigInt(-scale);
  const divisor = 10n ** BigInt(scale);
  const quotient = product / divisor;
  const doubled = (product % divisor) * 2n;
  const up = doubled > divisor || (doubled === divisor && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}
