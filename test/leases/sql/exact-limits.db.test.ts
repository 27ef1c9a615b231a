import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { larger } from '../mirror/amounts.ts';
import type { LeaseFunctions } from './lease-functions.ts';
import {
  brokenBooks,
  counterState,
  insertLimit,
  insertOrganization,
  leaseFunctions,
  setTestClock,
  stopClock,
  testId,
} from './lease-functions.ts';

const nodes = [1, 2, 3].map((number) => testId('node', number));
const seed = 20_261_121;

let database: TestDatabase;
let functions: LeaseFunctions;
let setClock: (at: Date) => Promise<void>;
let limits = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  await stopClock(database, new Date('2024-01-01T00:00:00Z'));
  // However much time passes, the nodes are there.
  setClock = async (at) => {
    await setTestClock(database, at);
    await sql`update lease_nodes set seen_at = ${at}`.execute(database.owner.db);
  };
  await insertOrganization(database.writer.db);
  functions = leaseFunctions(database.writer.db);
  for (const node of nodes) await functions.register(node, 1, 'e1');
});
afterAll(() => database.drop());

type Known = Map<string, bigint>;

/** Asks until the last unit is granted. @returns what was granted in all, and where. */
async function exhaust(
  limit: string,
  known: Known,
  shares: readonly number[],
  amount: bigint,
): Promise<{ readonly granted: bigint; readonly counter: string }> {
  let granted = 0n;
  let counter = '';
  let rest = amount;
  for (let turn = 0; turn < 20; turn += 1) {
    const node = nodes[turn % nodes.length] ?? '';
    const share = shares[turn % shares.length] ?? 1;
    // First shares of it, then all that is left, then one more.
    const need = turn >= 10 ? larger(rest, 1n) : share === 0 ? 1n : (amount * BigInt(share)) / 100n + 1n;
    const [answer] = await functions.ask(
      node,
      1,
      [{ limit, counter: counter || null, known: known.get(node) ?? 0n, need, want: need * 3n }],
      { live: 3 },
    );
    if (answer === undefined || answer.counter_id === null) throw new Error('no counter');
    counter = answer.counter_id;
    rest = answer.rest ?? 0n;
    if (answer.outcome === 'short' && need === 1n) return { granted, counter };
    granted += answer.granted - (known.get(node) ?? 0n);
    known.set(node, answer.granted);
  }
  throw new Error('there is always more');
}

/** Month ends, leap days, both changes of the clocks, a skipped day, and anything else. */
const moments = fc.oneof(
  fc
    .constantFrom(
      '2024-02-29T12:00:00Z',
      '2023-02-28T23:59:59.999Z',
      '2024-01-31T00:00:00Z',
      '2024-12-31T23:59:59Z',
      '2024-03-10T06:59:59.999Z',
      '2024-03-10T07:00:00Z',
      '2024-11-03T05:30:00Z',
      '2024-11-03T06:30:00Z',
      '2011-12-30T09:59:59Z',
      '2018-11-04T02:59:59Z',
    )
    .map((text) => Date.parse(text)),
  fc.integer({ min: Date.UTC(2010, 0, 1), max: Date.UTC(2025, 0, 1) }),
);

test('in a window of the calendar and for ever, the most that can be admitted is the limit exactly, and all of it again in the next', async () => {
  const kinds = ['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year', 'lifetime'] as const;
  const cases = fc.record({
    zone: fc.constantFrom('UTC', 'America/New_York', 'Pacific/Apia', 'America/Sao_Paulo', 'Asia/Kathmandu'),
    anchor: fc.constantFrom('2001-01-01T00:00:00', '2023-12-31T00:00:00', '2024-02-29T02:30:00', '2020-10-30T23:59:59'),
    at: moments,
    amount: fc.oneof(fc.bigInt({ min: 1n, max: 20n }), fc.bigInt({ min: 1n, max: 10n ** 20n })),
    shares: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 5, maxLength: 5 }),
    spent: fc.integer({ min: 0, max: 100 }),
  });
  for (const [index, kind] of kinds.entries()) {
    for (const { zone, anchor, at, amount, shares, spent } of fc.sample(cases, { numRuns: 2, seed: seed + index })) {
      limits += 1;
      const limit = await insertLimit(database.writer.db, { number: limits, amount, kind, zone, anchor });
      await setClock(new Date(at));
      const known: Known = new Map();
      const { granted, counter } = await exhaust(limit, known, shares, amount);
      expect(granted).toBe(amount);

      // One node settles a part of its room and gives the rest back: just that can be granted again.
      const [node = ''] = nodes;
      const room = known.get(node) ?? 0n;
      const debit = (room * BigInt(spent)) / 100n;
      await functions.post([{ counter, node, epoch: 1, debit, cost: debit }]);
      await functions.giveBack(node, 1, [{ counter, returned: room - debit }]);
      const state = await counterState(database.writer.db, counter);
      expect((await exhaust(limit, known, shares, amount)).granted).toBe(room - debit);
      expect(await counterState(database.writer.db, counter)).toMatchObject({ settled: debit, held: amount - debit, overrun: 0n });

      if (state.ends_at === null || state.starts_at === null) continue;
      for (const same of [state.starts_at.getTime(), state.ends_at.getTime() - 1]) {
        await setClock(new Date(same));
        expect(await functions.ask(node, 1, [{ limit, counter, known: known.get(node) ?? 0n, need: 1n }])).toMatchObject([
          { outcome: 'short', rest: 0n },
        ]);
      }
      await setClock(state.ends_at);
      expect(await functions.ask(node, 1, [{ limit, need: amount }])).toMatchObject([
        { outcome: 'granted', rest: 0n, starts_at: state.ends_at },
      ]);
    }
  }
  expect(await brokenBooks(database.owner.db)).toEqual([]);
});

test('in a rolling window what was admitted and posted within it never exceeds the limit, and a window later all of it is free again', async () => {
  const [windowMs, bucketMs, amount] = [60_000, 1_000, 1_000n];
  const steps = fc.array(
    fc.record({ node: fc.nat({ max: 2 }), need: fc.integer({ min: 1, max: 400 }), later: fc.integer({ min: 0, max: 9_000 }) }),
    {
      minLength: 25,
      maxLength: 25,
    },
  );
  for (const each of fc.sample(steps, { numRuns: 3, seed })) {
    limits += 1;
    const limit = await insertLimit(database.writer.db, { number: limits, amount, kind: 'rolling', windowSeconds: windowMs / 1000 });
    const known: Known = new Map();
    const posted: { readonly at: number; readonly cost: bigint }[] = [];
    let at = Date.UTC(2024, 1, 29, 23, 59, 30);
    let refusals = 0;
    for (const { node: number, need, later } of each) {
      at += later;
      await setClock(new Date(at));
      const node = nodes[number] ?? '';
      const before = known.get(node) ?? 0n;
      const [answer] = await functions.ask(
        node,
        1,
        [{ limit, counter: null, need: BigInt(need) }].map((item) => ({ ...item, known: 0n })),
      );
      // The answer names the counter; asked again with what is known, it is granted or short.
      const counter = answer?.counter_id ?? '';
      const [second] =
        answer?.outcome === 'held'
          ? await functions.ask(node, 1, [{ limit, counter, known: answer.granted, need: BigInt(need) }])
          : [answer];
      known.set(node, second?.granted ?? before);
      const within = posted.filter((post) => post.at > at - windowMs).reduce((sum, post) => sum + post.cost, 0n);
      const added = (second?.granted ?? 0n) - before;
      expect(within + added).toBeLessThanOrEqual(amount);
      if (second?.outcome === 'short') {
        refusals += 1;
        // Refused only where a bucket more than the window would not have had room either.
        const withBucket = posted.filter((post) => post.at > at - windowMs - 2 * bucketMs).reduce((sum, post) => sum + post.cost, 0n);
        expect(withBucket + BigInt(need)).toBeGreaterThan(amount);
      } else {
        await functions.post([{ counter, node, epoch: 1, debit: added, cost: added }]);
        posted.push({ at, cost: added });
      }
    }
    expect(refusals).toBeGreaterThan(0);
    await setClock(new Date(at + windowMs + bucketMs));
    const [node = ''] = nodes;
    const [last] = await functions.ask(node, 1, [{ limit, need: amount }]);
    const again =
      last?.outcome === 'held'
        ? await functions.ask(node, 1, [{ limit, counter: last.counter_id, known: last.granted, need: amount }])
        : [last];
    expect(again).toMatchObject([{ outcome: 'granted', rest: 0n }]);
  }
  expect(await brokenBooks(database.owner.db)).toEqual([]);
});
