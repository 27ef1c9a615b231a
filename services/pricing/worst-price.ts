import type { TokenClass } from '../../schema/values/token-usage.ts';
import { INPUT_CLASSES, OUTPUT_CLASSES } from '../../schema/values/token-usage.ts';
import type { EffectivePrices } from './effective-prices.ts';
import { effectivePrices } from './effective-prices.ts';
import type { Piece, PriceSheet } from './price-sheet.ts';
import { SERVICE_TIERS } from './price-sheet.ts';

/** The most that a request can use. */
export interface MostUsed {
  /** Tokens. */
  readonly input: number;
  readonly output: number;
  /** Pieces, of what is billed by them; none where it is left out. */
  readonly searches?: number;
  readonly images?: number;
  readonly audioSeconds?: number;
}

/** The dearest prices that a request of more than so many input tokens can meet, in pico-USD; null: plain ones are not known. */
interface WorstPrices {
  /** Exclusive. */
  readonly above: number;
  readonly input: bigint | null;
  readonly output: bigint | null;
  readonly search: bigint | null;
  readonly image: bigint | null;
  readonly audioSecond: bigint | null;
  readonly request: bigint;
}

const worstPrices = new WeakMap<PriceSheet, readonly WorstPrices[]>();

/**
 * What a request can cost at most by a sheet: every token in its dearest class, in the dearest tier that is sold, in the dearest band of context
 * length that it can reach, and every piece. Never below what `rateCost` gives for usage within the bounds. What uses nothing costs nothing, by
 * whatever sheet.
 * @returns pico-USD; null where the sheet, or that there is none, leaves open what is billed: tokens it has no plain price for, and no piece either.
 */
export function worstCost(sheet: PriceSheet | null, most: MostUsed): bigint | null {
  const { input, output, searches = 0, images = 0, audioSeconds = 0 } = most;
  if (sheet === null) return input === 0 && output === 0 && searches === 0 && images === 0 && audioSeconds === 0 ? 0n : null;
  let bands = worstPrices.get(sheet);
  if (bands === undefined) {
    bands = bandsOf(sheet);
    worstPrices.set(sheet, bands);
  }
  let worst: bigint | null = null;
  for (const prices of bands) {
    const { above } = prices;
    if (above >= input && above > 0) continue;
    const byToken = (prices.input !== null || input === 0) && (prices.output !== null || output === 0);
    const byPiece =
      (prices.search !== null && searches > 0) ||
      (prices.image !== null && images > 0) ||
      (prices.audioSecond !== null && audioSeconds > 0);
    if (!byToken && !byPiece) return null;
    let cost = prices.request + (prices.input ?? 0n) * BigInt(input) + (prices.output ?? 0n) * BigInt(output);
    // Hardly any request has pieces, and every request with a budget comes by here.
    if (searches > 0) cost += (prices.search ?? 0n) * BigInt(searches);
    if (images > 0) cost += (prices.image ?? 0n) * BigInt(images);
    if (audioSeconds > 0) cost += (prices.audioSecond ?? 0n) * BigInt(Math.ceil(audioSeconds));
    if (worst === null || cost > worst) worst = cost;
  }
  return worst;
}

function bandsOf(sheet: PriceSheet): WorstPrices[] {
  const plain = effectivePrices(sheet, 'standard', 0);
  if (typeof plain === 'string') return [];
  const thresholds = [0, ...(sheet.longContext ?? []).map(({ aboveInputTokens }) => aboveInputTokens)];
  return thresholds.map((above) => {
    const sold = SERVICE_TIERS.map((tier) => effectivePrices(sheet, tier, above === 0 ? 0 : above + 1)).filter(
      (prices) => typeof prices !== 'string',
    );
    return {
      above,
      input: plain.input === null ? null : dearest(sold, INPUT_CLASSES),
      output: plain.output === null ? null : dearest(sold, OUTPUT_CLASSES),
      search: pieceOf(sold, 'search'),
      image: pieceOf(sold, 'image'),
      audioSecond: pieceOf(sold, 'audioSecond'),
      request: dearest(sold, ['request']),
    };
  });
}

/** Null where no tier says what a piece costs; a price of one alone is met by who is served in it. */
function pieceOf(situations: readonly EffectivePrices[], piece: Piece): bigint | null {
  return situations.some((prices) => prices[piece] !== null) ? dearest(situations, [piece]) : null;
}

function dearest(situations: readonly EffectivePrices[], units: readonly (TokenClass | Piece)[]): bigint {
  let most = 0n;
  for (const prices of situations) {
    for (const unit of units) {
      const price = prices[unit];
      if (price !== null && price > most) most = price;
    }
  }
  return most;
}
