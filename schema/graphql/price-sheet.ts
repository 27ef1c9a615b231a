import { builder } from './builder.ts';
import type { ModelPriceRow } from './ports/registry-reads.ts';

type Prices = Readonly<Record<string, string | null>>;
interface SheetPart {
  readonly tier: string;
  readonly aboveInputTokens: number | null;
  readonly prices: Prices;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const tiers = ['standard', 'priority', 'flex', 'batch'] as const;

function pricesOf(value: unknown): Prices | null {
  if (!isRecord(value)) return null;
  const entries = Object.entries(value).flatMap(([unit, price]): [string, string | null][] =>
    price === null ? [[unit, null]] : typeof price === 'string' && /^\d{1,38}$/.test(price) ? [[unit, price]] : [],
  );
  return Object.fromEntries(entries);
}

/** The tiers of a sheet one below the other: first those without a threshold, then by threshold. */
export function sheetParts(sheet: unknown): SheetPart[] {
  if (!isRecord(sheet)) return [];
  const parts = (of: Readonly<Record<string, unknown>>, aboveInputTokens: number | null): SheetPart[] =>
    tiers.flatMap((tier) => {
      const prices = pricesOf(of[tier]);
      return prices === null ? [] : [{ tier, aboveInputTokens, prices }];
    });
  const long = Array.isArray(sheet.longContext) ? sheet.longContext.filter(isRecord) : [];
  return [...parts(sheet, null), ...long.flatMap((entry) => parts(entry, Number(entry.aboveInputTokens)))];
}

interface UnitPriceShape {
  readonly unit: string;
  readonly picoUsd: bigint | null;
}

const UnitPrice = builder.objectRef<UnitPriceShape>('UnitPrice').implement({
  description: 'The price of one token of a class, or of one piece.',
  fields: (t) => ({
    unit: t.exposeString('unit', { description: 'A token class such as `input`, or `request`, `search`, `image`, `audioSecond`.' }),
    usd: t.expose('picoUsd', {
      type: 'Decimal',
      nullable: true,
      description: 'USD for one; null: it has a price of its own that is not known, and using it leaves a request unrated.',
    }),
    usdPerMillion: t.field({
      type: 'Decimal',
      nullable: true,
      resolve: ({ picoUsd }) => (picoUsd === null ? null : picoUsd * 1_000_000n),
    }),
  }),
});

export const PriceTier = builder.objectRef<SheetPart>('PriceTier').implement({
  description: 'Prices of one way the provider sells the model.',
  fields: (t) => ({
    tier: t.exposeString('tier', { description: '`standard`, `priority`, `flex` or `batch`.' }),
    aboveInputTokens: t.exposeInt('aboveInputTokens', {
      nullable: true,
      description: 'Holds for requests with more input tokens than this; null: for all.',
    }),
    units: t.field({
      type: [UnitPrice],
      resolve: ({ prices }) =>
        Object.entries(prices)
          .map(([unit, price]) => ({ unit, picoUsd: price === null ? null : BigInt(price) }))
          .sort((left, right) => (left.unit < right.unit ? -1 : 1)),
    }),
  }),
});

/** The price of a model from an instant on. */
export const PriceSheet = builder.objectRef<ModelPriceRow>('PriceSheet').implement({
  description: 'An immutable price version, named by the hash of its content, and from when it holds for the model.',
  fields: (t) => ({
    version: t.exposeString('price_version'),
    validFrom: t.expose('valid_from', { type: 'DateTime' }),
    source: t.exposeString('source'),
    isOverride: t.boolean({
      description: "It is the organization's own price, and wins over the shared one.",
      resolve: (row) => row.organization_id !== null,
    }),
    tiers: t.field({ type: [PriceTier], resolve: ({ sheet }) => sheetParts(sheet) }),
  }),
});
