import { describe, expect, test } from 'vitest';
import type { BudgetAccount, BudgetEntry } from './judge-budget.ts';
import { judgeBudget } from './judge-budget.ts';

const entry = (requestId: string, debit: bigint, cost = debit): BudgetEntry => ({
  requestId,
  outcome: 'succeeded',
  errorCode: null,
  hold: { hold: debit, debit, cost },
  refused: null,
});
const refused = (needed: bigint, settled: bigint): BudgetEntry => ({
  requestId: 'refused',
  outcome: 'rejected',
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
  lostRoom: null,
  mostHold: 6n,
  smallest: 1n,
};

/** The same, but that nobody wrote of the first call: a disk held six for it, and is gone. */
const withLostDisk: BudgetAccount = {
  ...whole,
  entries: [entry('b', 4n, 6n)],
  counter: { settled: 6n, held: 6n, lost: 6n, overrun: 2n },
  lostRoom: 6n,
};

test('an account that holds has no problems', () => {
  expect(judgeBudget(whole)).toEqual({ billed: 12n, overrun: 2n, unreported: 0n, orphans: 0, lost: 0, problems: [] });
});

test('what a dead proxy could not report is listed, not called an overrun', () => {
  const dead = { ...entry('a', 6n), outcome: 'orphaned' };
  const account = { ...whole, entries: [dead, ...whole.entries.slice(1)], billed: new Map([...whole.billed, ['a', 9n]]) };
  expect(judgeBudget(account)).toMatchObject({ unreported: 3n, orphans: 1, problems: [] });
});

test('a call that only a lost disk knew of is covered by what is held for it', () => {
  expect(judgeBudget(withLostDisk)).toMatchObject({ billed: 12n, lost: 1, unreported: 0n, problems: [] });
});

test('what a call that only a lost disk knew of was billed above any hold is listed', () => {
  const account = { ...withLostDisk, billed: new Map([...whole.billed, ['a', 7n]]) };
  expect(judgeBudget(account)).toMatchObject({ lost: 1, unreported: 7n, problems: [] });
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
    [
      'a dead call that is counted at less than it held',
      { entries: [{ ...entry('a', 6n), outcome: 'orphaned', hold: { hold: 7n, debit: 6n, cost: 6n } }, ...whole.entries.slice(1)] },
      /a died, held 7 and was counted at 6, debited 6/,
    ],
    ['a hold that stays', { counter: { ...whole.counter, held: 2n, lost: 1n } }, /2 is still held, of which 1 is lost/],
    ['a loss that nobody suffered', { counter: { ...whole.counter, held: 1n, lost: 1n } }, /1 is called lost, and no disk was/],
    ['room that nobody could use', { counter: { ...whole.counter, settled: 9n } }, /1 is left and was not used/],
    [
      'a refusal of what fits',
      { entries: [...whole.entries.slice(0, 2), refused(1n, 9n)] },
      /refused was refused for good: 1 needed, 9 of 10 used/,
    ],
    [
      'a refusal by what nobody had used yet',
      { entries: [entry('a', 6n), refused(1n, 12n), entry('b', 4n, 6n)] },
      /refused was told of 12 used where 6 was in the books/,
    ],
    ['books that differ', { counter: { ...whole.counter, overrun: 1n } }, /the overrun is 1, the entries come to 2/],
  ])('%s', (_name, damage, problem) => {
    expect(judgeBudget({ ...whole, ...damage }).problems).toContainEqual(expect.stringMatching(problem));
  });

  test('more calls of lost disks than these held room for', () => {
    expect(judgeBudget({ ...withLostDisk, lostRoom: 5n }).problems).toEqual(['lost disks held 5 for calls that were billed 6']);
  });
});
