import { expect, test } from 'vitest';
import { call, counts, row, sheets, unknown } from './example-account.ts';
import type { LedgerRow } from './ledger-rows.ts';
import { reconcile } from './reconcile.ts';

// The judge of the main job is judged here: what it must not let pass.
test('a line that equals the call is equal', () => {
  expect(reconcile([call], [row], sheets)).toEqual({
    equal: 1,
    refused: 0,
    untold: 0,
    unheard: 0,
    orphans: 0,
    uncalled: 0,
    differences: [],
  });
});

test('an orphan is listed whether its call was made or not', () => {
  const orphan: LedgerRow = { ...unknown, outcome: 'orphaned' };
  expect(reconcile([call], [orphan], sheets)).toMatchObject({ orphans: 1, differences: [] });
  expect(reconcile([], [orphan], sheets)).toMatchObject({ orphans: 1, differences: [] });
});

test('an answer that was lost on its way is listed as such only where one can have been', () => {
  const failed: LedgerRow = { ...unknown, outcome: 'failed', unrated: 'usage_missing' };
  expect(reconcile([call], [failed], sheets, 1)).toMatchObject({ unheard: 1, differences: [] });
  expect(reconcile([call], [failed], sheets).differences).toHaveLength(1);
  expect(reconcile([call], [{ ...failed, outcome: 'succeeded' }], sheets, 1).differences).toHaveLength(1);
  const refusal = { ...call, outcome: 'refused', reported: null, billed: null } as const;
  expect(reconcile([refusal], [failed], sheets, 1)).toMatchObject({ unheard: 1, refused: 0, differences: [] });
  expect(reconcile([refusal], [failed], sheets).differences).toHaveLength(1);
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
