import { builder } from './builder.ts';
import type { PriceVersionRow } from './ports/upstream-reads.ts';
import { PriceSheet, PriceTier, sheetParts } from './price-sheet.ts';

const PriceVersion = builder.loadableNodeRef('PriceVersion', {
  id: { resolve: (row: PriceVersionRow) => row.name },
  load: async (names: string[], context) => [...(await context.registry.priceVersionsByName(names))],
});

PriceVersion.implement({
  description: 'Prices that never change: the id is the hash of what they say, and stands on every ledger entry they priced.',
  fields: (t) => ({
    createdAt: t.expose('created_at', { type: 'DateTime' }),
    tiers: t.field({ type: [PriceTier], resolve: ({ sheet }) => sheetParts(sheet) }),
  }),
});

builder.objectField(PriceSheet, 'priceVersion', (t) =>
  t.field({ type: PriceVersion, nullable: true, resolve: (row) => row.price_version }),
);
