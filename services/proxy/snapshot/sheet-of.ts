import type { PriceSheet } from '../../pricing/price-sheet.ts';
import { parsePriceSheet } from '../../pricing/price-sheet.ts';
import type { SheetOf } from '../../registry/catalog/compiled-prices.ts';

/**
 * @param sheets already parsed, by price version: a version never changes, so a new snapshot parses only what is new.
 * @param onBadPrice told of a version that holds no price sheet.
 */
export function createSheetOf(
  sheets: Map<string, PriceSheet>,
  onBadPrice: (priceVersion: string, error: unknown) => void,
): SheetOf<PriceSheet> {
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
