import { expect, test } from 'vitest';
import { call, row, sheets, unknown } from './example-account.ts';
import type { Account } from './judge-account.ts';
import { judgeAccount } from './judge-account.ts';
import type { Answer } from './traffic.ts';

// The judge of every run is judged here: a sound account holds, and each way of damaging it is found.
const answer: Answer = {
  index: 0,
  requestId: 'req_1',
  kind: 'answered',
  costUsd: '0.000184',
  usage: { prompt_tokens: 100, completion_tokens: 30, total_tokens: 130 },
  text: 'hello',
  expectedText: 'hello',
  error: null,
};
const sums = (grain: string) => ({ grain, requests: 1n, cost: 184_000_000n, output: 20n, reasoning: 10n });
const journal = { positions: 7n, first: 0n, last: 6n, items: 7n };
const sound: Account = {
  calls: [call],
  answers: [answer],
  ledger: [row],
  sheets,
  rollups: ['usage_minute', 'usage_hour', 'usage_day'].map(sums),
  journals: [journal],
  deadLetters: [],
};
const strict = { orphans: 0, unheard: 0 };

test('a sound account holds', () => {
  expect(judgeAccount(sound, strict)).toMatchObject({ equal: 1, problems: [] });
});

test.each<[string, Partial<Account>]>([
  ['an entry that was lost', { ledger: [] }],
  ['an entry that is there twice', { ledger: [row, { ...row, entry_id: 'f' }] }],
  ['a token too many', { ledger: [{ ...row, tokens_output: 21n }] }],
  ['a pico-dollar too few', { ledger: [{ ...row, cost: 183_999_999n }] }],
  ['a request that only its application knows of', { answers: [answer, { ...answer, requestId: 'req_2' }] }],
  ['another cost than the application was told', { answers: [{ ...answer, costUsd: '0.000185' }] }],
  [
    'other tokens than the application was told',
    { answers: [{ ...answer, usage: { prompt_tokens: 100, completion_tokens: 31, total_tokens: 131 } }] },
  ],
  ['other words than the provider said', { answers: [{ ...answer, text: 'hell' }] }],
  ['a rollup that missed an entry', { rollups: [sums('usage_minute'), sums('usage_hour'), { ...sums('usage_day'), requests: 0n }] }],
  [
    'a rollup that counted a cost twice',
    { rollups: [{ ...sums('usage_minute'), cost: 368_000_000n }, sums('usage_hour'), sums('usage_day')] },
  ],
  ['no rollups', { rollups: [] }],
  ['a gap in the journal', { journals: [{ ...journal, last: 7n }] }],
  ['an item with two positions', { journals: [{ ...journal, items: 6n }] }],
  ['a journal that does not begin at 0', { journals: [{ ...journal, first: 1n, last: 7n }] }],
  ['a dead letter', { deadLetters: ['unparseable (no body)'] }],
])('%s is found', (_what, damage) => {
  expect(judgeAccount({ ...sound, ...damage }, strict).problems.length).toBeGreaterThan(0);
});

test('orphans and lost answers are borne only as far as there can have been any', () => {
  const orphaned: Account = { ...sound, ledger: [{ ...unknown, outcome: 'orphaned' }], rollups: [], answers: [] };
  const unheard: Account = { ...orphaned, ledger: [{ ...unknown, outcome: 'failed', unrated: 'usage_missing' }] };
  const problems = (account: Account, allowance: typeof strict): readonly string[] =>
    judgeAccount(account, allowance).problems.filter((problem) => !problem.includes('rollups'));
  expect(problems(orphaned, { orphans: 1, unheard: 0 })).toEqual([]);
  expect(problems(orphaned, { orphans: 0, unheard: 9 })).toHaveLength(1);
  expect(problems(unheard, { orphans: 0, unheard: 1 })).toEqual([]);
  expect(problems(unheard, { orphans: 9, unheard: 0 })).toHaveLength(1);
});

test.each(['accounting_unavailable', 'overloaded', 'not_ready'])('a refusal as %s need not be in the books', (code) => {
  const refused = { ...answer, requestId: 'req_2', kind: 'failed' as const, error: { code } };
  expect(judgeAccount({ ...sound, answers: [answer, refused] }, strict).problems).toEqual([]);
});
