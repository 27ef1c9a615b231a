import { expect, test } from 'vitest';
import { laterUsage, normalizeMessageUsage } from '../../../../../services/proxy/providers/anthropic/usage.ts';

test('usage of a stream is cumulative: the last value of each field counts, and what is left out or null stays', () => {
  const start = { input_tokens: 2_068, cache_read_input_tokens: 7, output_tokens: 8, service_tier: 'standard' };
  const delta = { input_tokens: 22_397, cache_read_input_tokens: null, output_tokens: 637 };
  expect(laterUsage(start, delta)).toEqual({ ...start, input_tokens: 22_397, output_tokens: 637 });
  expect(laterUsage(null, delta)).toBe(delta);
});

test('an explicit 0 is a 0, and what is not said is unknown', () => {
  expect(normalizeMessageUsage({ input_tokens: 0, output_tokens: 3 })).toMatchObject({
    usage: { input: 0, cacheRead: null, cacheWrite5m: null, output: 3, reasoning: null },
    units: null,
    flags: [],
  });
  expect(normalizeMessageUsage({})).toMatchObject({ usage: null, flags: ['usage_missing'] });
  expect(normalizeMessageUsage({ output_tokens: 3 })).toMatchObject({ usage: { input: null, output: 3 }, flags: ['usage_partial'] });
  expect(normalizeMessageUsage({ input_tokens: -1, output_tokens: 'many' })).toMatchObject({
    usage: null,
    flags: ['usage_invalid', 'usage_missing'],
  });
});

test.each([
  ['split by how long they are kept', { all: 30, short: 10, long: 20 }, { cacheWrite5m: 10, cacheWrite1h: 20 }, []],
  ['without a split for five minutes', { all: 30 }, { cacheWrite5m: 30, cacheWrite1h: null }, []],
  ['told before the count is final, and for an hour', { all: 30, short: 0, long: 20 }, { cacheWrite5m: 0, cacheWrite1h: 30 }, []],
  ['told before the count is final', { all: 30, short: 10, long: 0 }, { cacheWrite5m: 30, cacheWrite1h: 0 }, []],
  ['more than was split', { all: 40, short: 10, long: 20 }, { cacheWrite5m: 20, cacheWrite1h: 20 }, ['total_mismatch']],
  ['less than was split', { all: 5, short: 10, long: 20 }, { cacheWrite5m: 10, cacheWrite1h: 20 }, ['total_mismatch']],
])('writes to the cache: %s', (_case, { all, short, long }: { all: number; short?: number; long?: number }, classes, flags) => {
  const split = short === undefined ? {} : { cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long } };
  const told = normalizeMessageUsage({ input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: all, ...split });
  expect(told.usage).toMatchObject({ input: 1, output: 1, ...classes });
  expect(told.flags).toEqual(flags);
});

test('thinking is taken out of the output, and never more than there is', () => {
  const thought = (tokens: number) =>
    normalizeMessageUsage({ input_tokens: 1, output_tokens: 40, output_tokens_details: { thinking_tokens: tokens } });
  expect(thought(33)).toMatchObject({ usage: { output: 7, reasoning: 33 }, flags: [] });
  expect(thought(41)).toMatchObject({ usage: { output: 0, reasoning: 40 }, flags: ['class_clamped'] });
});

test('the steps of an answer are summed, since its own counts leave out the compaction', () => {
  const iterations = [
    { type: 'compaction', input_tokens: 100, output_tokens: 10, cache_creation_input_tokens: 5, cache_read_input_tokens: 1 },
    { type: 'message', input_tokens: 3, output_tokens: 2, cache_creation_input_tokens: 0, cache_read_input_tokens: 4 },
  ];
  const told = { input_tokens: 3, output_tokens: 2, cache_read_input_tokens: 4, cache_creation_input_tokens: 0, iterations };
  expect(normalizeMessageUsage(told)).toMatchObject({ usage: { input: 103, cacheRead: 5, cacheWrite5m: 5, output: 12 }, flags: [] });
  const advised = {
    ...told,
    iterations: [...iterations, { type: 'advisor_message', model: 'claude-opus-5', input_tokens: 1, output_tokens: 1 }],
  };
  expect(normalizeMessageUsage(advised).flags).toEqual(['other_model']);
});

test('searches are billed by the piece; fast mode has another price, which is not ours', () => {
  const told = {
    input_tokens: 1,
    output_tokens: 1,
    service_tier: 'priority',
    server_tool_use: { web_search_requests: 2, web_fetch_requests: 1 },
  };
  expect(normalizeMessageUsage(told)).toMatchObject({ tier: 'priority', units: { searches: 2, images: null, audioSeconds: null } });
  expect(normalizeMessageUsage({ ...told, speed: 'fast' }).tier).toBe('fast');
});
