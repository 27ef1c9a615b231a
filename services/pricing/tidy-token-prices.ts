import type { CatalogueMode } from './catalogue.ts';
import type { Omission } from './import-reasons.ts';
import { PRICED_UNITS } from './price-sheet.ts';
import type { DraftTiers, TableEntry, TablePrices } from './table-prices.ts';

/** Notes something that was not taken. */
export type Note = (omission: Omission, what: string) => void;

/** Makes the token prices of an entry mean what a sheet means by them; see {@link OMISSIONS}. */
export function tidyTokenPrices(entry: TableEntry, prices: TablePrices, mode: CatalogueMode, note: Note): void {
  const { standard } = prices.base;
  const tiers = [prices.base, ...prices.long.values()];
  if (!isAboveZero(standard.output)) {
    // Image models state one output price, that of image tokens; embeddings have no output at all.
    for (const each of tiers) delete each.standard.output;
    if (standard.outputImage !== undefined) standard.output = standard.outputImage;
    if (mode === 'embedding' || mode === 'rerank') for (const each of tiers) for (const tier of Object.values(each)) delete tier.output;
  }
  dropDoubtfulTiers(prices, note);
  for (const each of tiers) {
    for (const [tier, draft] of Object.entries(each)) {
      if (draft.reasoning === draft.output) delete draft.reasoning;
      for (const unit of PRICED_UNITS) {
        if (draft[unit] !== 0n) continue;
        draft[unit] = null;
        note('zero_component', tier === 'standard' ? unit : `${tier} ${unit}`);
      }
    }
  }
  if (isAboveZero(standard.cacheRead) && (standard.cacheRead ?? 0n) >= (standard.input ?? 0n)) {
    for (const each of tiers) each.standard.cacheRead = null;
    note('cache_read_not_cheaper', 'cacheRead');
  }
  if (standard.cacheRead === undefined && entry.supports_prompt_caching === true) {
    standard.cacheRead = null;
    note('cache_read_unstated', 'cacheRead');
  }
}

function dropDoubtfulTiers(prices: TablePrices, note: Note): void {
  const { base } = prices;
  for (const tier of ['priority', 'flex', 'batch'] as const) {
    const doubt = doubtOf(tier, base);
    if (doubt === null) continue;
    for (const tiers of [base, ...prices.long.values()]) delete tiers[tier];
    note(doubt, tier);
  }
}

function doubtOf(tier: 'priority' | 'flex' | 'batch', base: DraftTiers): Omission | null {
  const draft = base[tier];
  if (draft === undefined) return null;
  for (const side of ['input', 'output'] as const) {
    const standard = base.standard[side];
    const price = draft[side];
    if (standard === undefined || standard === null) continue;
    if (price === undefined || price === null) return 'tier_incomplete';
    if (tier === 'priority' && price <= standard) return 'tier_not_dearer';
    if (tier === 'flex' && price >= standard) return 'tier_not_cheaper';
    if (tier === 'batch' && price * 2n !== standard) return 'batch_not_half';
  }
  return null;
}

/** A price that is stated, known, and not nothing. */
export function isAboveZero(price: bigint | null | undefined): boolean {
  return price !== undefined && price !== null && price > 0n;
}
