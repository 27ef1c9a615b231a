import { parseUsd } from '../../schema/values/money.ts';
import type { PricedUnit, ServiceTier } from './price-sheet.ts';

/** An entry of the source table; numbers are texts ({@link parseLosslessJson}). */
export type TableEntry = Readonly<Record<string, unknown>>;

/** Prices while an entry is read; null = has a price of its own which is not known. */
export type DraftPrices = { [Unit in PricedUnit]?: bigint | null };
export type DraftTiers = { standard: DraftPrices } & { [Tier in Exclude<ServiceTier, 'standard'>]?: DraftPrices };

/** The prices of an entry, sorted by what they are a price of. */
export type TablePrices = {
  readonly base: DraftTiers;
  /** By threshold in tokens. */
  readonly long: ReadonlyMap<number, DraftTiers>;
  /** Prices of everything but tokens in USD as written, by field name, without zeros; read with {@link readPrice} when taken. */
  readonly others: ReadonlyMap<string, string>;
};

const TOKEN_FIELDS: ReadonlyMap<string, PricedUnit> = new Map([
  ['input_cost_per_token', 'input'],
  ['cache_read_input_token_cost', 'cacheRead'],
  ['cache_creation_input_token_cost', 'cacheWrite5m'],
  ['cache_creation_input_token_cost_above_1hr', 'cacheWrite1h'],
  ['input_cost_per_audio_token', 'inputAudio'],
  ['input_cost_per_image_token', 'inputImage'],
  ['output_cost_per_token', 'output'],
  ['output_cost_per_reasoning_token', 'reasoning'],
  ['output_cost_per_audio_token', 'outputAudio'],
  ['output_cost_per_image_token', 'outputImage'],
]);
const VARIANT = /^(?<field>.+?)(?:_above_(?<thousands>\d+)k_tokens)?(?:_(?<tier>priority|flex|batches))?$/;
/** DeepSeek's older spelling. */
const OLD_CACHE_READ = 'input_cost_per_token_cache_hit';
/** Databricks' own units stand beside prices in USD; multipliers depend on a region we are not told. */
const NOT_USD = /_dbu_cost_|_multiplier_/;

/**
 * Sorts an entry's fields.
 * @throws {RangeError} when a price is no decimal number, is negative or is finer than one pico-USD.
 */
export function readTablePrices(entry: TableEntry): TablePrices {
  const base: DraftTiers = { standard: {} };
  const long = new Map<number, DraftTiers>();
  const others = new Map<string, string>();
  for (const [name, value] of Object.entries(entry)) {
    if (!name.includes('cost') || NOT_USD.test(name) || value === null) continue;
    if (name === 'search_context_cost_per_query') continue;
    const { field = name, thousands, tier } = VARIANT.exec(name)?.groups ?? {};
    const unit = TOKEN_FIELDS.get(field);
    if (unit !== undefined) {
      const tiers = thousands === undefined ? base : tiersAbove(long, Number(thousands) * 1000);
      pricesOf(tiers, tier)[unit] = readPrice(name, value);
    } else if (name === OLD_CACHE_READ) {
      base.standard.cacheRead ??= readPrice(name, value);
    } else if (typeof value === 'string' && Number(value) !== 0) {
      others.set(name, value);
    }
  }
  readTieredPricing(entry.tiered_pricing, base, long);
  return { base, long, others };
}

/** Qwen's and Doubao's lists: each range prices whole requests, its lower bound exclusive. */
function readTieredPricing(list: unknown, base: DraftTiers, long: Map<number, DraftTiers>): void {
  if (!Array.isArray(list)) return;
  let expected = 0;
  for (const step of list) {
    if (!isRecord(step) || !Array.isArray(step.range)) throw new RangeError('tiered_pricing without token ranges');
    const [from, to] = step.range.map(Number);
    if (from !== expected || to === undefined) throw new RangeError('tiered_pricing with a gap');
    const { standard } = from === 0 ? base : tiersAbove(long, from);
    for (const [field, unit] of TOKEN_FIELDS) if (step[field] !== undefined) standard[unit] = readPrice(field, step[field]);
    expected = to;
  }
}

/** One fee per search, null where it depends on a size we are not told, absent where none is stated. */
export function readSearchPrice(entry: TableEntry): bigint | null | undefined {
  const bySize = entry.search_context_cost_per_query;
  if (!isRecord(bySize)) return undefined;
  const prices = new Set(Object.entries(bySize).map(([size, value]) => readPrice(size, value)));
  const [first] = prices;
  return prices.size === 1 ? first : null;
}

/**
 * Pico-USD of a field.
 * @throws {RangeError} as {@link readTablePrices}.
 */
export function readPrice(name: string, value: unknown): bigint {
  if (typeof value !== 'string') throw new RangeError(`${name} is no number`);
  const price = parseUsd(value);
  if (price < 0n) throw new RangeError(`${name} is negative`);
  return price;
}

function tiersAbove(long: Map<number, DraftTiers>, threshold: number): DraftTiers {
  const known = long.get(threshold);
  if (known !== undefined) return known;
  const tiers: DraftTiers = { standard: {} };
  long.set(threshold, tiers);
  return tiers;
}

function pricesOf(tiers: DraftTiers, tier: string | undefined): DraftPrices {
  if (tier === undefined) return tiers.standard;
  const name = tier === 'priority' ? 'priority' : tier === 'flex' ? 'flex' : 'batch';
  tiers[name] ??= {};
  return tiers[name];
}

export function isRecord(value: unknown): value is TableEntry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
