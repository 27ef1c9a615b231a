import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatUsd, PICO_PER_USD, parseUsd } from '../../../schema/values/money.ts';

test.each([
  ['1', PICO_PER_USD],
  ['0', 0n],
  ['-0', 0n],
  ['0.0000015', 1_500_000n],
  ['1.5e-07', 150_000n],
  ['2.8E-8', 28_000n],
  ['1.3e-10', 130n],
  ['1e-12', 1n],
  ['0.000000000001', 1n],
  ['1.0000000000000000', PICO_PER_USD],
  ['12e+3', 12_000n * PICO_PER_USD],
  ['-0.5', -PICO_PER_USD / 2n],
  ['0e-30', 0n],
])('%s USD is %s pico-USD', (text, pico) => {
  expect(parseUsd(text)).toBe(pico);
});

test.each(['', ' 1', '1 ', '.5', '1.', '+1', '0x10', '1_000', '1,5', 'NaN', 'Infinity', '1e', '1e9999', '--1', '١'])(
  '%j is no amount',
  (text) => {
    expect(() => parseUsd(text)).toThrow(RangeError);
  },
);

test('an amount finer than one pico-USD is refused, not rounded', () => {
  expect(() => parseUsd('1e-13')).toThrow(/finer than one pico-USD/);
  expect(() => parseUsd('0.0000000000015')).toThrow(/finer than one pico-USD/);
});

test('a text without end costs nothing', () => {
  expect(() => parseUsd('9'.repeat(10_000_000))).toThrow(RangeError);
});

test('what is written is read back, exactly and in one way', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), (pico) => {
      const text = formatUsd(pico);
      expect(parseUsd(text)).toBe(pico);
      expect(text).toMatch(/^-?(0|[1-9]\d*)(\.\d{0,11}[1-9])?$/);
    }),
  );
});

test('garbage gives a RangeError and nothing else', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      try {
        parseUsd(text);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});

test.each([
  [1_500_000n, '0.0000015'],
  [PICO_PER_USD, '1'],
  [0n, '0'],
  [-1n, '-0.000000000001'],
  [10n * PICO_PER_USD + 100n, '10.0000000001'],
])('%s pico-USD is written %s', (pico, text) => {
  expect(formatUsd(pico)).toBe(text);
});
