import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UNKNOWN_USAGE } from '../../../../schema/values/token-usage.ts';
import { parsePriceSheet } from '../../../../services/pricing/price-sheet.ts';
import { rateCost } from '../../../../services/pricing/rate.ts';
import { BatchSums } from '../../../../services/proxy/batches/batch-sums.ts';
import type { OutputUsage } from '../../../../services/proxy/batches/output-line.ts';
import { readOutputLine } from '../../../../services/proxy/batches/output-line.ts';
import { PROVIDERS } from '../../../../services/proxy/providers/registry.ts';

const linear = parsePriceSheet({ standard: { input: '300', cacheRead: '30', output: '900' }, batch: { input: '150', output: '450' } });
const dearer = parsePriceSheet({
  ...linear,
  longContext: [{ aboveInputTokens: 1_000, standard: { input: '600' }, batch: { input: '311', output: '907' } }],
});
const perRequest = parsePriceSheet({ ...linear, batch: { input: '150', output: '450', request: '7' } });
const line = (input: number, output: number, fields: Partial<OutputUsage> = {}): OutputUsage => ({
  modelAnswered: 'm',
  usage: { ...UNKNOWN_USAGE, input, output },
  units: null,
  serviceTier: null,
  flags: [],
  ...fields,
});
const sumsOf = (lines: readonly OutputUsage[], sheet = linear) => {
  const sums = new BatchSums(sheet);
  for (const each of lines) sums.add(each);
  return sums.all();
};

test('lines at a plain price are one sum', () => {
  const sums = sumsOf([
    line(5, 1),
    line(7, 2, { modelAnswered: 'n', flags: ['odd'] }),
    line(1, 0, { usage: { ...UNKNOWN_USAGE, input: 1, cacheRead: 4, output: 0 } }),
  ]);
  expect(sums).toMatchObject([
    {
      modelAnswered: null,
      usage: { input: 13, cacheRead: 4, output: 3, reasoning: null },
      flags: ['odd'],
      cost: { kind: 'rated', cost: 13n * 150n + 4n * 30n + 3n * 450n },
    },
  ]);
});

test.each([
  ['plain', linear],
  ['dearer for long requests', dearer],
  ['a price for each request', perRequest],
])('whatever the price (%s), the sums cost what their lines cost', (_name, sheet) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(1_500), fc.nat(100)), { maxLength: 30 }), (counts) => {
      const lines = counts.map(([input, output]) => line(input, output));
      const cost = (each: OutputUsage): bigint => {
        const rated = rateCost(each.usage, each.units, { tier: null, batch: true, requests: 1 }, sheet);
        return rated.kind === 'rated' ? rated.cost : 0n;
      };
      const total = lines.reduce((sum, each) => sum + cost(each), 0n);
      const sums = sumsOf(lines, sheet);
      // The ledger rates each sum again, from its usage alone.
      expect(sums.reduce((sum, each) => sum + cost(each), 0n)).toBe(total);
      expect(sums.every((each) => each.cost.kind === 'rated' && each.cost.cost === cost(each))).toBe(true);
      if (sheet === linear) expect(sums.length).toBeLessThanOrEqual(1);
    }),
  );
});

test('what cannot be rated is apart, and never free', () => {
  const standardOnly = parsePriceSheet({ standard: { input: '1', output: '1' } });
  expect(sumsOf([line(5, 1), line(6, 1)], standardOnly)).toMatchObject([
    { usage: { input: 11 }, cost: { kind: 'unrated', reason: 'tier_unknown' } },
  ]);
  const missing = { ...line(0, 0), usage: null, flags: ['usage_missing'] };
  expect(sumsOf([line(5, 1), missing, line(6, 1), missing])).toMatchObject([
    { usage: { input: 11, output: 2 }, cost: { kind: 'rated' } },
    { usage: null, flags: ['usage_missing'], cost: { kind: 'unrated', reason: 'usage_missing' } },
  ]);
});

const read = (value: unknown) => readOutputLine(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), PROVIDERS.openai);

test('a line tells what was used, in either spelling of it', () => {
  const chat = {
    model: 'gpt-x',
    usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13, prompt_tokens_details: { cached_tokens: 2 } },
    service_tier: 'default',
  };
  expect(read({ custom_id: 'a', response: { status_code: 200, body: chat }, error: null })).toMatchObject({
    modelAnswered: 'gpt-x',
    usage: { input: 7, cacheRead: 2, output: 4 },
    serviceTier: 'default',
    flags: [],
  });
  const responses = { usage: { input_tokens: 9, output_tokens: 4, output_tokens_details: { reasoning_tokens: 3 }, total_tokens: 13 } };
  expect(read({ response: { status_code: 200, body: responses } })).toMatchObject({ usage: { input: 9, output: 1, reasoning: 3 } });
});

test('only what failed costs nothing; what cannot be read is not known', () => {
  expect(read('\n')).toBe(null);
  expect(read({ custom_id: 'a', response: { status_code: 400, body: {} } })).toBe(null);
  expect(read({ custom_id: 'a', response: null, error: { code: 'batch_expired' } })).toBe(null);
  expect(read('{"half')).toMatchObject({ usage: null, flags: ['usage_unread'] });
  expect(readOutputLine(null, PROVIDERS.openai)).toMatchObject({ usage: null, flags: ['usage_unread'] });
  expect(read({ response: { status_code: 200, body: { model: 'm' } } })).toMatchObject({ usage: null, flags: ['usage_missing'] });
});
