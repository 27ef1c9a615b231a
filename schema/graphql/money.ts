import { builder } from './builder.ts';

/** An exact amount; the parent is pico-USD. Where a cost is unknown the field is null, never an amount of 0. */
export const Money = builder.objectRef<bigint>('Money').implement({
  description: 'An exact amount of money.',
  fields: (t) => ({
    amount: t.field({ type: 'Decimal', resolve: (picoUsd) => picoUsd }),
    currency: t.field({ type: CurrencyCode, resolve: () => 'USD' as const }),
  }),
});

const CurrencyCode = builder.enumType('CurrencyCode', { description: 'ISO 4217.', values: ['USD'] as const });
