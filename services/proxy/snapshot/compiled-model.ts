import type { PriceSheet } from '../../pricing/price-sheet.ts';
import type { CatalogModel } from '../../registry/catalog/catalog.ts';

/** A model that the proxy calls and rates. */
export type CompiledModel = CatalogModel<PriceSheet>;
