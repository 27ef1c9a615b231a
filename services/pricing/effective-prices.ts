import type { PricedUnit, PriceSheet, ServiceTier, UnitPrices } from './price-sheet.ts';
import { PRICED_UNITS } from './price-sheet.ts';

/** Price of every unit in one situation, in pico-USD; null = not known. */
export type EffectivePrices = Readonly<Record<PricedUnit, bigint | null>>;

/** Why a situation has no prices. */
export type UnpricedSituation = 'tier_unknown' | 'combination_unknown';

/**
 * The unit whose price stands in when a unit has none in any variant. Each line is a decision:
 * - `cacheRead`, `cacheWrite5m` → `input`: a provider without a caching price bills all input alike. Where a discount is known to exist but
 *   not its size, the sheet says `null`. (LiteLLM takes 0 here, which makes cached tokens free.)
 * - `inputAudio`, `inputImage` → `input`; `outputAudio`, `outputImage` → `output`: tables state a modality's price where it differs from text
 *   (Gemini bills image tokens, and in some models audio, as text). LiteLLM does the same for images and takes 0 for audio.
 * - `reasoning` → `output`, and that within each variant; see {@link effectivePrices}.
 * - `cacheWrite1h` is not in the table: see {@link effectivePrices}.
 * - `input`, `output` and pieces have no stand-in: without a price they are unknown.
 */
const STAND_IN: { readonly [Unit in PricedUnit]?: PricedUnit } = {
  cacheRead: 'input',
  cacheWrite5m: 'input',
  inputAudio: 'input',
  inputImage: 'input',
  outputAudio: 'output',
  outputImage: 'output',
};

/**
 * The price of every unit for a service tier and a total input, by these rules (reference/providers.md 8.2):
 * 1. Long-context prices apply to the whole request when the total input, cached tokens counted, is strictly above the threshold; the
 *    highest threshold passed counts.
 * 2. A price is looked for in the variants from the most special to the plain one: long context with tier, long context, tier, standard. A
 *    variant that does not state a unit is passed over, so e.g. a model without a long-context cache price keeps its base cache price.
 * 3. Only a unit that no variant states takes its stand-in's price ({@link STAND_IN}).
 * 4. Reasoning tokens are output under another name: in each variant their price is the stated one, else that variant's output price.
 * 5. A one-hour cache write without a price costs what a five-minute one does only if that has none either (then both are plain input);
 *    where the five-minute price is stated the one-hour price is dearer by an unknown factor, hence unknown.
 * 6. A tier the sheet does not list, or a tier that has no prices above a passed threshold, is unknown as a whole: its price is not the
 *    standard one.
 */
export function effectivePrices(sheet: PriceSheet, tier: ServiceTier, totalInputTokens: number): EffectivePrices | UnpricedSituation {
  const tierPrices = sheet[tier];
  if (tierPrices === undefined) return 'tier_unknown';
  const long = longContextOf(sheet, totalInputTokens);
  const variants: UnitPrices[] = [];
  if (long !== undefined) {
    const longTierPrices = long[tier];
    if (longTierPrices === undefined) return 'combination_unknown';
    variants.push(longTierPrices, long.standard);
  }
  variants.push(tierPrices, sheet.standard);

  // The order of PRICED_UNITS has every stand-in before the units that lean on it.
  const prices = new Map<PricedUnit, bigint | null>();
  for (const unit of PRICED_UNITS) {
    const stated = unit === 'reasoning' ? statedReasoning(variants) : statedIn(variants, unit);
    prices.set(unit, stated !== undefined ? stated : standInPrice(unit, prices, variants));
  }
  const price = (unit: PricedUnit): bigint | null => prices.get(unit) ?? null;
  return {
    input: price('input'),
    cacheRead: price('cacheRead'),
    cacheWrite5m: price('cacheWrite5m'),
    cacheWrite1h: price('cacheWrite1h'),
    inputAudio: price('inputAudio'),
    inputImage: price('inputImage'),
    output: price('output'),
    reasoning: price('reasoning'),
    outputAudio: price('outputAudio'),
    outputImage: price('outputImage'),
    request: price('request'),
    search: price('search'),
    image: price('image'),
    audioSecond: price('audioSecond'),
  };
}

/** The long-context entry that prices a request of this total input, if any: that of the highest threshold it is strictly above. */
export function longContextOf(sheet: PriceSheet, totalInputTokens: number): NonNullable<PriceSheet['longContext']>[number] | undefined {
  return sheet.longContext?.findLast(({ aboveInputTokens }) => totalInputTokens > aboveInputTokens);
}

function statedIn(variants: readonly UnitPrices[], unit: PricedUnit): bigint | null | undefined {
  for (const variant of variants) {
    const text = variant[unit];
    if (text !== undefined) return text === null ? null : BigInt(text);
  }
  return undefined;
}

function statedReasoning(variants: readonly UnitPrices[]): bigint | null | undefined {
  for (const variant of variants) {
    const text = variant.reasoning !== undefined ? variant.reasoning : variant.output;
    if (text !== undefined) return text === null ? null : BigInt(text);
  }
  return undefined;
}

function standInPrice(unit: PricedUnit, prices: ReadonlyMap<PricedUnit, bigint | null>, variants: readonly UnitPrices[]): bigint | null {
  if (unit === 'cacheWrite1h') return statedIn(variants, 'cacheWrite5m') === undefined ? (prices.get('input') ?? null) : null;
  const standIn = STAND_IN[unit];
  return standIn === undefined ? null : (prices.get(standIn) ?? null);
}
