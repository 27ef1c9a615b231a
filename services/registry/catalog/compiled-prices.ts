import type { SnapshotModel } from '../snapshot.ts';

/** What a model costs from a time on. */
export interface CompiledPrice<Sheet> {
  readonly validFrom: number;
  /** null = unpriced from here on, which is unrated and never free. */
  readonly sheet: Sheet | null;
}

/** Parses the sheet of a price version; null, and its own report, where it is none. */
export type SheetOf<Sheet> = (priceVersion: string, sheet: unknown) => Sheet | null;

/** The shared prices of a model, newest first. No older price stands in for one that cannot be read. */
export function sharedPrices<Sheet>(model: SnapshotModel, sheetOf: SheetOf<Sheet>): readonly CompiledPrice<Sheet>[] {
  return model.prices.map(({ validFrom, priceVersion, sheet }) => ({ validFrom, sheet: sheetOf(priceVersion, sheet) })).reverse();
}

/**
 * What one organization pays, newest first: its own price from when it begins, and the shared one before and after it ends.
 * Neither an older nor a shared price stands in for one of its own that cannot be read.
 */
export function pricesOf<Sheet>(
  organizationId: string,
  model: SnapshotModel,
  shared: readonly CompiledPrice<Sheet>[],
  sheetOf: SheetOf<Sheet>,
): readonly CompiledPrice<Sheet>[] {
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
export function priceAt<Sheet>(prices: readonly CompiledPrice<Sheet>[], timeMs: number): Sheet | null {
  for (const price of prices) if (price.validFrom <= timeMs) return price.sheet;
  return null;
}
