import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../../schema/tables/database.ts';
import { idFromUuid } from '../../../schema/values/ids.ts';
import { LEASE_LOG_QUERY, proveLeaseLog } from '../../../services/cli/lease-log-file.ts';
import type { PurgeBounds, Purged } from '../../../services/ledger/purge.ts';
import { purgeCounters } from '../../../services/ledger/purge.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import type { LeaseFunctions } from '../../leases/sql/lease-functions.ts';
import {
  brokenBooks,
  counterState,
  insertLimit,
  insertOrganization,
  leaseFunctions,
  organizationId,
  setTestClock,
  stopClock,
  testId,
} from '../../leases/sql/lease-functions.ts';
import { assign, postRecords } from './posting.ts';
import { addTestPrice, recordOf, settledEvent } from './settled-records.ts';

const startedAtMs = Date.parse('2026-03-10T12:00:00Z');
const minute = 60;
const day = 86_400;
const node = testId('node', 1);

let database: TestDatabase;
let leases: LeaseFunctions;
let nowSeconds = 0;
let limits = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  await stopClock(database, new Date(startedAtMs));
  await insertOrganization(database.writer.db);
  await addTestPrice(database.writer.db);
  await database.owner.execute('drop trigger forbid_truncate on lease_log');
  leases = leaseFunctions(database.writer.db);
});
beforeEach(async () => {
  await database.owner.execute(`truncate lease_nodes, budget_limits, rate_limits, lease_log, lease_postings, counter_totals, counter_buckets,
    budget_counters, leases, lease_reports, purged_counters, threshold_checks cascade;
    update lease_generation set generation = 1, reconciling_since = null`);
  limits = 0;
  await clockAt(0);
  await leases.register(node, 1, 'n1');
});
afterAll(() => database.drop());

/** So many seconds after the beginning; the node lives. */
async function clockAt(seconds: number): Promise<void> {
  nowSeconds = seconds;
  await setTestClock(database, new Date(startedAtMs + seconds * 1_000));
  await sql`update lease_nodes set seen_at = lease_now() where lost_at is null`.execute(database.owner.db);
}

/** A limit of a budget, or of a rate limit. */
async function aLimit(
  of: 'budget' | 'rate limit',
  kind: Database['budget_limits']['window_kind'],
  windowSeconds?: number,
): Promise<string> {
  limits += 1;
  const owner = testId('budget', limits + 1);
  const limit = await insertLimit(database.writer.db, {
    number: limits,
    amount: 1_000n,
    kind,
    ...(windowSeconds === undefined ? {} : { windowSeconds }),
  });
  await database.owner.execute(`update budget_limits set budget_id = '${owner}' where id = '${limit}'`);
  if (of === 'rate limit') {
    await database.owner.execute(`insert into rate_limits (id, organization_id, name, definition, created_at, updated_at)
      values ('${owner}', '${organizationId}', '${owner}', '{}', now(), now())`);
  }
  return limit;
}

/** A lease of 100 in the present window, of which 60 are spent and booked. */
async function used(limit: string, group = ''): Promise<string> {
  const [answer] = await leases.ask(node, 1, [{ limit, group, need: 100n }]);
  const counter = answer?.counter_id ?? '';
  await leases.post([{ counter, node, epoch: 1, debit: 60n, cost: 60n }]);
  return counter;
}

const close = (counter: string, final = 60n) => leases.close(node, 1, [{ counter, final }]);

/** A counter of a window that was used, is over, and of which all is said. */
async function done(limit: string, group = ''): Promise<string> {
  const counter = await used(limit, group);
  const before = nowSeconds;
  const { ends_at } = await counterState(database.writer.db, counter);
  await clockAt(ends_at === null ? before : (ends_at.getTime() - startedAtMs) / 1_000);
  if (ends_at === null) await leases.reset(limit);
  expect(await close(counter)).toMatchObject([{ outcome: 'closed' }]);
  await clockAt(before);
  return counter;
}

async function purge(most?: PurgeBounds): Promise<Purged> {
  const purged = await purgeCounters(database.writer.db, new AbortController().signal, () => {}, most);
  return { ...purged };
}

const nothing = { removed: 0, summedUp: 0, shortened: 0, buckets: 0 };
const tables = ['budget_counters', 'leases', 'lease_postings', 'counter_totals', 'lease_log'] as const;

async function rowsOf(counter: string): Promise<Record<(typeof tables)[number], number>> {
  const counts = await Promise.all(
    tables.map(async (table) => {
      const { rows } = await sql<{ count: bigint }>`select count(*) from ${sql.table(table)}
        where ${sql.ref(table === 'budget_counters' ? 'id' : 'counter_id')} = ${counter}`.execute(database.writer.db);
      return [table, Number(rows[0]?.count)];
    }),
  );
  return Object.fromEntries(counts);
}

const gone = { budget_counters: 0, leases: 0, lease_postings: 0, counter_totals: 0, lease_log: 0 };
const whole = { budget_counters: 1, leases: 1, lease_postings: 1, counter_totals: 1, lease_log: 2 };
const summedUp = { budget_counters: 1, leases: 0, lease_postings: 0, counter_totals: 1, lease_log: 1 };

async function logProof() {
  const { rows } = await sql.raw<{ json_build_object: unknown }>(LEASE_LOG_QUERY).execute(database.writer.db);
  async function* lines() {
    for (const row of rows) yield JSON.stringify(row.json_build_object);
  }
  return (await proveLeaseLog(lines())).findings;
}

test('windows of a rate limit by the minute go two days after their end, and what they came to stays by the day', async () => {
  const limit = await aLimit('rate limit', 'minute');
  const counters = [await done(limit, 'a'), await done(limit, 'b')];
  await clockAt(minute);
  const next = await done(limit, 'a');
  await clockAt(2 * day + minute - 1);
  expect(await purge()).toEqual(nothing);
  await clockAt(2 * day + minute);
  expect(await purge({ counters: 1, entries: 100, oldEntries: 100, buckets: 1 })).toEqual({ ...nothing, removed: 2 });
  for (const counter of counters) expect(await rowsOf(counter)).toEqual(gone);
  expect(await rowsOf(next)).toEqual(whole);
  await clockAt(2 * day + 2 * minute);
  expect(await purge()).toEqual({ ...nothing, removed: 1 });
  const kept = await database.writer.db.selectFrom('purged_counters').selectAll().execute();
  expect(kept).toMatchObject([
    { limit_id: limit, ended_on: '2026-03-10', counters: 3n, settled: 180n, most_settled: 60n, overrun: 0n, log_entries: 6n },
  ]);
  expect([await brokenBooks(database.writer.db), await logProof()]).toEqual([[], []]);
});

test('of anything else the counter stays for good, with its leases and log in one entry after a quarter', async () => {
  const { db } = database.writer;
  const kinds = [
    ['budget', 'minute'],
    ['budget', 'lifetime'],
    ['rate limit', 'day'],
    ['budget', 'month'],
  ] as const;
  for (const [of, kind] of kinds) {
    const counter = await done(await aLimit(of, kind));
    const before = await counterState(db, counter);
    const overSeconds = ((before.ends_at ?? before.sealed_at ?? new Date(0)).getTime() - startedAtMs) / 1_000;
    await clockAt(overSeconds + 90 * day - 1);
    expect([kind, await purge()]).toEqual([kind, nothing]);
    await clockAt(overSeconds + 90 * day);
    expect([kind, await purge()]).toEqual([kind, { ...nothing, summedUp: 1 }]);
    expect(await rowsOf(counter)).toEqual(summedUp);
    expect(await counterState(db, counter)).toEqual(before);
    expect(await purge()).toEqual(nothing);
    await clockAt(0);
  }
  expect([await brokenBooks(db), await logProof()]).toEqual([[], []]);
});

test('of a counter that goes on what is older than a quarter becomes one entry, once it is worth it, and the proof stays', async () => {
  const { db } = database.writer;
  const counter = await used(await aLimit('budget', 'lifetime'));
  const other = await used(await aLimit('budget', 'month'));
  for (let known = 100n; known < 109n; known += 1n) {
    const { limit_id: limit } = await db
      .selectFrom('budget_counters')
      .select('limit_id')
      .where('id', '=', counter)
      .executeTakeFirstOrThrow();
    await leases.ask(node, 1, [{ limit, counter, known, need: 1n }]);
  }
  const entries = async () =>
    db.selectFrom('lease_log').select(['version', 'kind', 'amount']).where('counter_id', '=', counter).orderBy('version').execute();
  const before = [await counterState(db, counter), await rowsOf(other)];
  const whole = await entries();
  expect(whole).toHaveLength(10);
  // Entries are stamped by the machine's clock: the first seven of them long ago.
  await database.owner.execute(`alter table lease_log disable trigger forbid_change;
    update lease_log set recorded_at = lease_now() - interval '90 days' where counter_id = '${counter}' and version <= 7;
    alter table lease_log enable always trigger forbid_change`);

  const few: PurgeBounds = { counters: 1, entries: 5, oldEntries: 8, buckets: 1 };
  expect(await purge(few)).toEqual(nothing);
  expect(await purge({ ...few, oldEntries: 3 })).toEqual({ ...nothing, shortened: 1 });
  expect((await entries())[0]).toEqual({ version: 5n, kind: 'summary', amount: 104n });
  expect([await brokenBooks(db), await logProof()]).toEqual([[], []]);
  // Two more are old, beside the summary.
  expect(await purge({ ...few, oldEntries: 3 })).toEqual({ ...nothing, shortened: 1 });
  expect(await entries()).toEqual([{ version: 7n, kind: 'summary', amount: 106n }, ...whole.slice(7)]);
  expect(await purge({ ...few, oldEntries: 3 })).toEqual(nothing);
  expect([await counterState(db, counter), await rowsOf(other)]).toEqual(before);
  expect([await brokenBooks(db), await logProof()]).toEqual([[], []]);
});

test('a long log is summed up in parts, and the books are in order after each', async () => {
  const limit = await aLimit('budget', 'month');
  const counter = await used(limit);
  for (let known = 100n; known < 107n; known += 1n) await leases.ask(node, 1, [{ limit, counter, known, need: 1n }]);
  await clockAt(30 * day);
  await close(counter);
  await clockAt(200 * day);
  const parts: number[] = [];
  const signal = new AbortController().signal;
  const after = async () => {
    parts.push((await rowsOf(counter)).lease_log);
    expect([await brokenBooks(database.writer.db), await logProof()]).toEqual([[], []]);
  };
  await after();
  for (let steps = 0; steps < 3; steps++) {
    const once = new AbortController();
    await purgeCounters(database.writer.db, once.signal, () => once.abort(), { counters: 10, entries: 4, oldEntries: 100, buckets: 1 });
    await after();
  }
  expect(parts).toEqual([9, 6, 3, 1]);
  expect(await purgeCounters(database.writer.db, signal)).toEqual(nothing);
});

describe('what is not all said stays', () => {
  const overdue = 300 * day;

  test('a lease that its living proxy has not closed, room that is held, and room that is lost', async () => {
    const limit = await aLimit('rate limit', 'minute');
    const unclosed = await used(limit, 'unclosed');
    await leases.giveBack(node, 1, [{ counter: unclosed, returned: 40n }]);
    const held = await used(limit, 'held');
    const ofLost = testId('node', 2);
    await leases.register(ofLost, 1, 'm1');
    const [lost] = await leases.ask(ofLost, 1, [{ limit, group: 'lost', need: 5n }]);
    const [idle] = await leases.ask(ofLost, 1, [{ limit, group: 'idle', need: 5n }]);
    await leases.giveBack(ofLost, 1, [{ counter: idle?.counter_id ?? '', returned: 5n }]);
    await leases.declareLost(ofLost);
    await clockAt(overdue);
    await close(held, 70n);
    // Of a lost proxy, what has nothing in it has nothing to say either.
    expect(await purge()).toEqual({ ...nothing, removed: 1 });
    expect(await rowsOf(idle?.counter_id ?? '')).toEqual(gone);
    expect([await rowsOf(unclosed), await rowsOf(held)]).toEqual([whole, whole]);
    // A settlement that was late, a proxy that closes, a person who releases.
    await leases.post([{ counter: held, node, epoch: 1, debit: 10n, cost: 10n }]);
    await close(unclosed);
    await leases.release(ofLost, lost?.counter_id ?? '', 1, 0n);
    expect(await purge()).toEqual({ ...nothing, removed: 3 });
  });

  test.each([
    'update lease_postings set posted = posted - 1',
    'update counter_totals set settled = settled + 1',
    'update budget_counters set cap = 59',
    'update lease_log set amount = amount + 1 where version = 1',
    'delete from lease_log where version = 1',
  ])('books that do not add up: %s', async (damage) => {
    const counters = [await done(await aLimit('rate limit', 'minute')), await done(await aLimit('budget', 'hour'))];
    await database.owner.execute(`alter table budget_counters drop constraint if exists committed_within_cap;
      alter table lease_log disable trigger all; ${damage};
      alter table lease_log enable always trigger forbid_change; alter table lease_log enable always trigger forbid_delete`);
    await clockAt(overdue);
    expect(await purge()).toEqual(nothing);
    expect((await brokenBooks(database.writer.db)).map(({ counter_id }) => counter_id)).toEqual(expect.arrayContaining(counters));
  });

  test('what somebody has in hand is passed over without waiting', async () => {
    const limit = await aLimit('rate limit', 'minute');
    const posted = await done(limit, 'posted');
    const counter = await done(limit, 'locked');
    const free = await done(limit, 'free');
    await clockAt(overdue);
    await database.owner.db.transaction().execute(async (trx) => {
      await sql`select from lease_postings where counter_id = ${posted} for update`.execute(trx);
      await sql`select from budget_counters where id = ${counter} for key share`.execute(trx);
      expect(await purge()).toEqual({ ...nothing, removed: 1 });
    });
    expect([await rowsOf(posted), await rowsOf(counter), await rowsOf(free)]).toEqual([whole, whole, gone]);
    expect(await purge()).toEqual({ ...nothing, removed: 2 });
  });

  test('everything, while a restored database waits for its proxies', async () => {
    await done(await aLimit('rate limit', 'minute'));
    await clockAt(overdue);
    await sql`update lease_generation set timeline = '000000FF'`.execute(database.owner.db);
    expect(await purge()).toEqual(nothing);
    await leases.report(node, 1, 'n1', 2, 0, []);
    expect(await purge()).toEqual({ ...nothing, removed: 1 });
  });
});

test('an overrun stays on record, with whose it was', async () => {
  const counter = await done(await aLimit('budget', 'day'));
  await leases.post([{ counter, node, epoch: 1, debit: 7n, cost: 9n }]);
  await clockAt(100 * day);
  expect(await purge()).toEqual({ ...nothing, summedUp: 1 });
  expect(await rowsOf(counter)).toEqual({ ...summedUp, leases: 1, lease_postings: 1 });
  expect(await counterState(database.writer.db, counter)).toMatchObject({ settled: 69n, held: 0n, overrun: 9n });
  expect(await brokenBooks(database.writer.db)).toEqual([]);
});

test('an event that comes later still is booked whole, and makes no room', async () => {
  const rate = await aLimit('rate limit', 'minute');
  const budget = await aLimit('budget', 'day');
  const counters = [await done(rate), await done(budget)];
  await clockAt(100 * day);
  expect(await purge()).toEqual({ ...nothing, removed: 1, summedUp: 1 });
  const { epoch } = await assign(database.writer);
  const holds = counters.map((counter) => ({ counter, hold: '5', debit: '5', cost: '5' }));
  const event = settledEvent({
    organizationId: idFromUuid('organization', organizationId),
    node: idFromUuid('node', node),
    epoch: 1,
    holds,
  });
  const outcome = await postRecords(database.writer, [recordOf(event, { offset: 0n })], { epoch });
  expect([outcome.posted.length, outcome.dead]).toEqual([1, []]);
  expect(await counterState(database.writer.db, counters[1] ?? '')).toMatchObject({ settled: 65n, held: 0n, overrun: 5n, committed: 60n });
  // Nor does what its proxy says late bring anything back.
  expect(
    await leases.giveBack(
      node,
      1,
      counters.map((counter) => ({ counter, returned: 90n })),
    ),
  ).toMatchObject([{ outcome: 'gone' }, { outcome: 'gone' }]);
  for (const counter of counters) expect(await close(counter)).toMatchObject([{ outcome: 'gone' }]);
  for (const limit of [rate, budget])
    expect(await leases.ask(node, 1, [{ limit, need: 1_000n }])).toMatchObject([{ outcome: 'granted', rest: 0n }]);
  expect([await brokenBooks(database.writer.db), await logProof()]).toEqual([[], []]);
});

test('what proxies report after a restore brings back nothing that was purged', async () => {
  const counters = [await done(await aLimit('rate limit', 'hour')), await done(await aLimit('budget', 'hour'))];
  const told = await database.writer.db.selectFrom('budget_counters').selectAll().orderBy('id').execute();
  await clockAt(100 * day);
  await purge();
  await sql`update lease_generation set timeline = '000000FF'`.execute(database.owner.db);
  const reported = told.map(({ id, limit_id, window_key, group_key, starts_at, ends_at }) => ({
    counter: id,
    epoch: 1,
    final: 60n,
    place: { limit: limit_id, window_key, group: group_key, starts_at, ends_at },
  }));
  await leases.report(node, 1, 'n1', 1, 0, []);
  expect(await leases.report(node, 1, 'n1', 2, 0, reported)).toMatchObject({ status: 'resumed' });
  expect([await rowsOf(counters[0] ?? ''), await rowsOf(counters[1] ?? '')]).toEqual([gone, summedUp]);
  expect(await brokenBooks(database.writer.db)).toEqual([]);
});

test('buckets that have left a rolling window go, and what is in it stays as it is', async () => {
  const limit = await aLimit('budget', 'rolling', 600);
  let counter = '';
  for (let seconds = 0; seconds <= 6_000; seconds += 300) {
    await clockAt(seconds);
    const [answer] = await leases.ask(node, 1, [{ limit, known: BigInt(seconds / 300), need: 1n }]);
    counter = answer?.counter_id ?? '';
    await leases.post([{ counter, node, epoch: 1, debit: 1n, cost: 1n }]);
  }
  const before = await counterState(database.writer.db, counter);
  expect((await purge({ counters: 1, entries: 1, oldEntries: 100, buckets: 2 })).buckets).toBeGreaterThan(5);
  expect(await counterState(database.writer.db, counter)).toEqual(before);
  await clockAt(20_000);
  await leases.ask(node, 1, [{ limit, known: 21n, need: 0n }]);
  expect(await counterState(database.writer.db, counter)).toMatchObject({ settled: 0n, committed: 0n });
  expect(await brokenBooks(database.writer.db)).toEqual([]);
});

test('nothing but the purge deletes from the log, not even its owner', async () => {
  await done(await aLimit('rate limit', 'minute'));
  await expect(database.writer.execute('delete from lease_log')).rejects.toThrow(/permission denied/);
  await expect(database.writer.execute(`set turnpike.purging = 'on'; delete from lease_log`)).rejects.toThrow(/permission denied/);
  await expect(database.owner.execute('delete from lease_log')).rejects.toThrow(/append-only/);
});
