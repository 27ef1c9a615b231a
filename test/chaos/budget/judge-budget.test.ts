import { describe, expect, test } from 'vitest';
import type { BudgetAccount, BudgetEntry } from './judge-budget.ts';
import { judgeBudget } from './judge-budget.ts';

const entry = (requestId: string, debit: bigint, cost = debit): BudgetEntry => ({
  requestId,
  outcome: 'succeeded',
  model: 'sim/echo',
  errorCode: null,
  hold: { debit, cost },
  refused: null,
});
const refused = (needed: bigint, settled: bigint): BudgetEntry => ({
  requestId: 'refused',
  outcome: 'rejected',
  model: 'sim/echo',
  errorCode: 'insufficient_quota',
  hold: null,
  refused: { needed, amount: 10n, settled },
});

/** Ten units, used up: one call cost two more than it debited. */
const whole: BudgetAccount = {
  limit: 10n,
  entries: [entry('a', 6n), entry('b', 4n, 6n), refused(1n, 12n)],
  counter: { settled: 12n, held: 0n, lost: 0n, overrun: 2n },
  billed: new Map([
    ['a', 6n],
    ['b', 6n],
  ]),
  smallest: 1n,
};

test('an account that holds has no problems', () => {
  expect(judgeBudget(whole)).toEqual({ billed: 12n, overrun: 2n, unreported: 0n, orphans: 0, problems: [] });
});

test('what a dead proxy could not report is listed, not called an overrun', () => {
  const dead = { ...entry('a', 6n), outcome: 'orphaned' };
  const account = { ...whole, entries: [dead, ...whole.entries.slice(1)], billed: new Map([...whole.billed, ['a', 9n]]) };
  expect(judgeBudget(account)).toMatchObject({ unreported: 3n, orphans: 1, problems: [] });
});

describe('a damaged account is found out', () => {
  test.each<readonly [string, Partial<BudgetAccount>, RegExp]>([
    ['more than the limit', { limit: 9n }, /after 2 entries the provider has billed 12/],
    [
      'an overrun that comes after what it reports',
      {
        entries: [entry('b', 4n), entry('a', 6n), entry('c', 0n, 2n)],
        billed: new Map([
          ['a', 6n],
          ['b', 6n],
        ]),
      },
      /b \(succeeded\) was billed 6 and counted at 4/,
    ],
    ['a call in no entry', { billed: new Map([...whole.billed, ['c', 1n]]) }, /1 calls of the provider are in no entry, such as c/],
    ['an entry twice', { entries: [...whole.entries, entry('a', 0n)] }, /a is booked twice/],
    [
      'a call without a hold',
      { entries: [{ ...entry('a', 6n), hold: null }, ...whole.entries.slice(1)] },
      /a was billed 6 and held nothing/,
    ],
    ['a hold that stays', { counter: { ...whole.counter, held: 2n, lost: 1n } }, /2 is still held, of which 1 is lost/],
    ['room that nobody could use', { counter: { ...whole.counter, settled: 9n } }, /1 is left and was not used/],
    [
      'a refusal of what fits',
      { entries: [...whole.entries.slice(0, 2), refused(1n, 9n)] },
      /refused was refused for good: 1 needed, 9 of 10 used/,
    ],
    ['books that differ', { counter: { ...whole.counter, overrun: 1n } }, /the overrun is 1, the entries come to 2/],
  ])('%s', (_name, damage, problem) => {
    expect(judgeBudget({ ...whole, ...damage }).problems).toContainEqual(expect.stringMatching(problem));
  });
});
