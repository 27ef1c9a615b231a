import { expect, test } from 'vitest';
import type { LedgerRow } from './ledger-rows.ts';
import type { ProviderEntry } from './provider-books.ts';
import { reconcile } from './reconcile.ts';

// The judge of the main job is judged here: what it must not let pass.
const sheet = { standard: { input: '1000000', cacheRead: '100000', output: '4000000', reasoning: '4000000' } };
const sheets = new Map([['pv_1', sheet]]);
const counts = {
  promptTokens: 100,
  cachedTokens: 40,
  cacheWriteTokens: null,
  audioInputTokens: 0,
  completionTokens: 30,
  reasoningTokens: 10,
  audioOutputTokens: 0,
};
const call: ProviderEntry = {
  sequence: 1,
  requestId: 'req_1',
  model: 'echo',
  stream: false,
  status: 200,
  outcome: 'finished',
  reported: counts,
  billed: counts,
};
const row: LedgerRow = {
  entry_id: 'e',
  request_id: 'r',
  api_key_id: 'k',
  requestId: 'req_1',
  kind: 'usage',
  outcome: 'succeeded',
  status: 200,
  model: 'sim/echo',
  stream: false,
  // 60 × 1,000,000 + 40 × 100,000 + 20 × 4,000,000 + 10 × 4,000,000
  cost: 184_000_000n,
  proxy_cost: 184_000_000n,
  price_version: 'pv_1',
  unrated: null,
  flags: [],
  usage_source: 'provider',
  tokens_input: 60n,
  tokens_cache_read: 40n,
  tokens_cache_write_5m: null,
  tokens_cache_write_1h: null,
  tokens_input_audio: 0n,
  tokens_input_image: null,
  tokens_output: 20n,
  tokens_reasoning: 10n,
  tokens_output_audio: 0n,
  tokens_output_image: null,
};
const noTokens = Object.fromEntries(Object.keys(row).flatMap((name) => (name.startsWith('tokens_') ? [[name, null]] : [])));
const unknown: LedgerRow = {
  ...row,
  ...noTokens,
  cost: null,
  proxy_cost: null,
  price_version: null,
  unrated: 'orphaned',
  usage_source: null,
  flags: ['usage_missing'],
};

test('a line that equals the call is equal', () => {
  expect(reconcile([call], [row], sheets)).toEqual({ equal: 1, refused: 0, untold: 0, orphans: 0, uncalled: 0, differences: [] });
});

test('an orphan is listed whether its call was made or not', () => {
  const orphan: LedgerRow = { ...unknown, outcome: 'orphaned' };
  expect(reconcile([call], [orphan], sheets)).toMatchObject({ orphans: 1, differences: [] });
  expect(reconcile([], [orphan], sheets)).toMatchObject({ orphans: 1, differences: [] });
});

test.each([
  ['a call that is not in the ledger', [call], []],
  ['a second call under one id', [call, { ...call, sequence: 2 }], [row]],
  ['a token too many', [call], [{ ...row, tokens_output: 21n }]],
  ['a class that was not reported and is booked as 0', [call], [{ ...row, tokens_cache_write_5m: 0n }]],
  ['a pico-dollar too much', [call], [{ ...row, cost: 184_000_001n }]],
  ['a proxy that told another cost', [call], [{ ...row, proxy_cost: 0n }]],
  ['a cost for a refused call', [{ ...call, outcome: 'refused', reported: null, billed: null } as const], [row]],
  [
    'a cost of 0 for a broken call',
    [{ ...call, outcome: 'cut', reported: null, billed: counts } as const],
    [{ ...unknown, cost: 0n, unrated: null }],
  ],
  ['an orphan with a cost', [call], [{ ...row, outcome: 'orphaned' } as const]],
  ['a success that no provider knows', [], [row]],
])('%s is a difference', (_what, calls, ledger) => {
  expect(reconcile(calls, ledger, sheets).differences).toHaveLength(1);
});
