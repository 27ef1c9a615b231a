import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalPriceSheet, parsePriceSheet, priceVersion, sheetFromPerMillion } from '../../../services/pricing/price-sheet.ts';

describe('sheetFromPerMillion', () => {
  test('USD per million tokens become pico-USD per token, exactly', () => {
    expect(sheetFromPerMillion({ input: '0.15', cacheRead: '0.075', output: '0.60', reasoning: '0.000001' })).toEqual({
      standard: { input: '150000', cacheRead: '75000', output: '600000', reasoning: '1' },
    });
  });

  test('prices by the piece are USD each', () => {
    expect(sheetFromPerMillion({ request: '0.005', search: '0.01', image: '0.04', audioSecond: '0.0001' })).toEqual({
      standard: { request: '5000000000', search: '10000000000', image: '40000000000', audioSecond: '100000000' },
    });
  });

  test('0 is a price, stated on purpose; what is not given is not stated', () => {
    expect(sheetFromPerMillion({ input: '0', output: undefined })).toEqual({ standard: { input: '0' } });
  });

  test.each(['0.0000001', '-1', 'free', '', '1,5'])('refuses %j', (input) => {
    expect(() => sheetFromPerMillion({ input })).toThrow(RangeError);
  });
});

describe('parsePriceSheet', () => {
  test.each([
    ['nothing', null],
    ['no standard prices', {}],
    ['a number for a price', { standard: { input: 1 } }],
    ['a decimal fraction', { standard: { input: '1.5' } }],
    ['a negative price', { standard: { input: '-1' } }],
    ['leading zeros, which would be a second spelling', { standard: { input: '01' } }],
    ['an unknown unit', { standard: { inptu: '1' } }],
    ['an unknown tier', { standard: {}, turbo: {} }],
    ['a threshold of nothing', { standard: {}, longContext: [{ aboveInputTokens: 0, standard: {} }] }],
    [
      'thresholds out of order',
      {
        standard: {},
        longContext: [
          { aboveInputTokens: 200, standard: {} },
          { aboveInputTokens: 100, standard: {} },
        ],
      },
    ],
  ])('refuses %s', (_what, value) => {
    expect(() => parsePriceSheet(value)).toThrow(/^not a price sheet/);
  });

  test('a sheet cannot be changed, and changing what it was read from changes nothing', () => {
    const source = { standard: { input: '1' }, longContext: [{ aboveInputTokens: 5, standard: { input: '2' } }] };
    const sheet = parsePriceSheet(source);
    source.standard.input = '9';
    expect(sheet.standard.input).toBe('1');
    expect([sheet, sheet.standard, sheet.longContext, sheet.longContext![0], sheet.longContext![0]!.standard].every(Object.isFrozen)).toBe(
      true,
    );
  });

  test('garbage gives a RangeError and nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.record({ standard: fc.jsonValue(), longContext: fc.jsonValue() })), (value) => {
        try {
          parsePriceSheet(value);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});

describe('priceVersion', () => {
  const sheet = parsePriceSheet({ standard: { output: '600000', input: '150000' }, batch: { input: '75000', output: '300000' } });

  test('is the hash of the canonical content, the same for ever', () => {
    expect(canonicalPriceSheet(sheet)).toBe(
      '{"batch":{"input":"75000","output":"300000"},"standard":{"input":"150000","output":"600000"}}',
    );
    expect(priceVersion(sheet)).toBe('pv_3c5e1373ce4d8593d773f72619f80c50');
  });

  test('does not depend on the order of keys, nor on a detour through a jsonb column', () => {
    const reordered = parsePriceSheet({ batch: { output: '300000', input: '75000' }, standard: { input: '150000', output: '600000' } });
    expect(priceVersion(reordered)).toBe(priceVersion(sheet));
    expect(priceVersion(parsePriceSheet(JSON.parse(JSON.stringify(sheet))))).toBe(priceVersion(sheet));
  });

  test('differs for every other content: price, class, unknown instead of unstated', () => {
    const others = [{ input: '1' }, { input: '2' }, { output: '1' }, { input: '1', cacheRead: null }, {}, { input: '0' }];
    expect(new Set(others.map((standard) => priceVersion(parsePriceSheet({ standard })))).size).toBe(others.length);
  });
});
