import { expect, test } from 'vitest';
import { UNKNOWN_USAGE } from '../../../../schema/values/token-usage.ts';
import { sheetFromPerMillion } from '../../../../services/pricing/price-sheet.ts';
import { costOfCall } from '../../../../services/proxy/relay/rating.ts';

const sheet = sheetFromPerMillion({ input: '1', output: '1', search: '0.01' });
const target = { prices: [{ validFrom: 0, sheet }] };
const usage = { ...UNKNOWN_USAGE, input: 3, output: 4 };

test('a call costs what it used, by the token and by the piece', () => {
  const units = { searches: 2, images: null, audioSeconds: null };
  expect(costOfCall(target, 1, { usage, units, serviceTier: null }, 'unknown')).toMatchObject({ kind: 'rated', costPico: 20_007_000_000n });
  expect(costOfCall(target, 1, { usage, serviceTier: null }, 'unknown')).toMatchObject({ kind: 'rated', costPico: 7_000_000n });
});

test('a call that told no usage costs nothing only where that is certain', () => {
  const nothing = { usage: null, serviceTier: null };
  expect(costOfCall(target, 1, nothing, 'free')).toEqual({ kind: 'free' });
  expect(costOfCall(target, 1, nothing, 'unknown')).toEqual({ kind: 'unrated', reason: 'usage_missing' });
  const units = { searches: 1, images: null, audioSeconds: null };
  expect(costOfCall(target, 1, { ...nothing, units }, 'free')).toEqual({ kind: 'unrated', reason: 'usage_missing' });
});
