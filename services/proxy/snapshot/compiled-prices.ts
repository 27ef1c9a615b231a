import type { PriceSheet } from '../../pricing/price-sheet.ts';
import { parsePriceSheet } from '../../pricing/price-sheet.ts';
import type { SnapshotModel } from '../../registry/snapshot.ts';

/** What a model costs from a time on. */
export interface CompiledPrice {
  readonly validFrom: number;
  /** null = unpriced from here on, which is unrated and never free. */
  readonly sheet: PriceSheet | null;
}

/** Parses the sheet of a price version; null, and its own report, where it is none. */
export type SheetOf = (priceVersion: string, sheet: unknown) => PriceSheet | null;

/**
 * @param sheets already parsed, by price version: a version never changes, so a new snapshot parses only what is new.
 * @param onBadPrice told of a version that holds no price sheet.
 */
export function createSheetOf(sheets: Map<string, PriceSheet>, onBadPrice: (priceVersion: string, error: unknown) => void): SheetOf {
  return (priceVersion, sheet) => {
    try {
      const parsed = sheets.get(priceVersion) ?? parsePriceSheet(sheet);
      sheets.set(priceVersion, parsed);
      return parsed;
    } catch (error) {
      onBadPrice(priceVersion, error);
      return null;
    }
  };
}

/** The shared prices of a model, newest first. No older price stands in for one that cannot be read. */
export function sharedPrices(model: SnapshotModel, sheetOf: SheetOf): readonly CompiledPrice[] {
  return model.prices.map(({ validFrom, priceVersion, sheet }) => ({ validFrom, sheet: sheetOf(priceVersion, sheet) })).reverse();
}

/**
 * What one organization pays, newest first: its own price from when it begins, and the shared one before and after it ends.
 * Neither an older nor a shared price stands in for one of its own that cannot be read.
 */
export function pricesOf(
  organizationId: string,
  model: SnapshotModel,
  shared: readonly CompiledPrice[],
  sheetOf: SheetOf,
): readonly CompiledPrice[] {
  const own = model.ownPrices.filter((price) => price.organizationId === organizationId);
  if (own.length === 0) return shared;
  const starts = new Set([...shared, ...own].map((price) => price.validFrom));
  return [...starts]
    .sort((left, right) => right - left)
    .map((validFrom) => {
      const price = own.findLast((candidate) => candidate.validFrom <= validFrom);
      if (price !== undefined && price.priceVersion !== null) return { validFrom, sheet: sheetOf(price.priceVersion, price.sheet) };
      return { validFrom, sheet: priceAt(shared, validFrom) };
    });
}

/** The sheet in force at a time, or null: then the request is unrated. @param prices newest first. */
export function priceAt(prices: readonly CompiledPrice[], timeMs: number): PriceSheet | null {
  for (const price of prices) if (price.validFrom <= timeMs) return price.sheet;
  return null;
}
