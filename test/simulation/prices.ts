import type { PriceSheet } from '../../services/pricing/price-sheet.ts';
import { parsePriceSheet, priceVersion } from '../../services/pricing/price-sheet.ts';

/** What the simulated provider asks for, in pico-USD a token: the model's own numbers, from which the sheets are made for the product. */
export const PRICES = [
  { input: 150_000n, output: 600_000n },
  { input: 3_000_000n, output: 15_000_000n },
] as const;

/** The same as the product holds it. */
export const SHEETS: readonly { readonly version: string; readonly sheet: PriceSheet }[] = PRICES.map(({ input, output }) => {
  const sheet = parsePriceSheet({ standard: { input: input.toString(), output: output.toString() } });
  return { version: priceVersion(sheet), sheet };
});
