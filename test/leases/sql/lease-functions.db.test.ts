import { sql } from 'kysely';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../harness/eventually.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import type { LeaseFunctions, LimitSpecification } from './lease-functions.ts';
import {
  brokenBooks,
  changeAmount,
  counterState,
  insertLimit,
  insertOrganization,
  leaseFunctions,
  organizationId,
  raiseLimit,
  setTestClock,
  stopClock,
  testId,
} from './lease-functions.ts';

const startedAt = Date.parse('2026-03-10T12:00:00Z');

type Books = LeaseFunctions & {
  readonly database: TestDatabase;
  readonly limit: string;
  readonly nodeA: string;
  readonly nodeB: string;
  /** A second limit of the test. */
  readonly otherLimit: (amount: bigint) => Promise<string>;
  /** So many seconds after the beginning. */
  readonly clockAt: (seconds: number) => Promise<void>;
  /** Both nodes are seen now, however late it has become. */
  readonly awake: () => Promise<void>;
  /** The counter of node A's first lease, of which it holds so much. */
  readonly granted: (amount: bigint) => Promise<string>;
};

let shared: TestDatabase | null = null;
let used = 0;

afterAll(async () => {
  await shared?.drop();
});

/**
 * One limit and two nodes in their first epoch; the books must be in order when the test is over. Tests share a database, each with ids of its own,
 * but for those that say something of all nodes.
 */
async function books(specification: Partial<LimitSpecification> = {}, whose: 'shared' | 'own' = 'shared'): Promise<Books> {
  const database = whose === 'shared' && shared !== null ? shared : await createTestDatabase();
  const { db } = database.writer;
  if (database !== shared) {
    await stopClock(database, new Date(startedAt));
    await insertOrganization(db);
  }
  if (whose === 'shared') shared = database;
  else onTestFinished(() => database.drop());
  onTestFinished(async () => expect(await brokenBooks(database.owner.db)).toEqual([]));
  const setClock = (at: Date) => setTestClock(database, at);
  await setClock(new Date(startedAt));
  used += 10;
  const [nodeA, nodeB] = [testId('node', used), testId('node', used + 1)];
  const limit = await insertLimit(db, { number: used, amount: 1000n, ...specification });
  const functions = leaseFunctions(db);
  await functions.register(nodeA, 1, 'a1');
  await functions.register(nodeB, 1, 'b1');
  return {
    ...functions,
    database,
    limit,
    nodeA,
    nodeB,
    otherLimit: (amount) => insertLimit(db, { number: used + 1, amount }),
    clockAt: (seconds) => setClock(new Date(startedAt + seconds * 1000)),
    awake: async () => {
      await sql`update lease_nodes set seen_at = lease_now()`.execute(database.owner.db);
    },
    granted: async (amount) => {
      const [answer] = await functions.ask(nodeA, 1, [{ limit, need: amount }]);
      if (answer?.outcome !== 'granted' || answer.counter_id === null) throw new Error(`not granted: ${answer?.outcome}`);
      return answer.counter_id;
    },
  };
}

const state = ({ database }: Books, counter: string): ReturnType<typeof counterState> => counterState(database.writer.db, counter);

describe('asking', () => {
  test('a grant is at least what is needed, at most what is wanted, and else a share of the rest', async () => {
    const { ask, limit, nodeA, nodeB } = await books();
    expect(await ask(nodeA, 1, [{ limit, need: 10n, want: 1_000_000n }], { live: 2 })).toMatchObject([
      { status: 'answered', outcome: 'granted', granted: 250n, rest: 750n, amount: 1000n, ends_in_ms: null, opens_in_ms: 0n },
    ]);
    expect(await ask(nodeB, 1, [{ limit, need: 10n, want: 20n }], { live: 2 })).toMatchObject([{ granted: 20n, rest: 730n }]);
    expect(await ask(nodeB, 1, [{ limit, known: 20n, need: 730n }], { live: 2 })).toMatchObject([
      { outcome: 'granted', granted: 750n, rest: 0n },
    ]);
  });

  test('what is short is granted nothing, recalls the others, and tells what is in flight and what is stuck', async () => {
    const context = await books();
    const { ask, beat, limit, clockAt, nodeA, nodeB } = context;
    const counter = await context.granted(600n);
    await context.post([{ counter, node: nodeA, epoch: 1, debit: 100n, cost: 100n }]);
    expect(await ask(nodeB, 1, [{ limit, need: 401n }])).toMatchObject([
      { outcome: 'short', granted: 0n, rest: 400n, unsettled: 900n, stuck: 0n },
    ]);
    expect(await beat(nodeA, 1, 'a1', 0, 'n')).toMatchObject([
      { status: 'taken', beat: 1n, counter_id: counter, wanted: true, granted: 600n },
    ]);
    await clockAt(31);
    expect(await beat(nodeA, 1, 'a1', 1, 'm')).toMatchObject([{ wanted: false }]);
    // A silent node's room will not come back within seconds; what it has spent did not.
    await clockAt(320);
    await beat(nodeB, 1, 'b1', 0, 'n');
    await clockAt(340);
    expect(await ask(nodeB, 1, [{ limit, need: 401n }])).toMatchObject([{ outcome: 'short', stuck: 500n }]);
  });

  test('an answer that was lost is found by the next ask, and nothing is granted twice', async () => {
    const { ask, limit, nodeA } = await books();
    await ask(nodeA, 1, [{ limit, need: 10n }]);
    expect(await ask(nodeA, 1, [{ limit, need: 10n }])).toMatchObject([{ outcome: 'held', granted: 10n, rest: 990n }]);
  });

  test('with all, one that is short keeps the others from being granted', async () => {
    const { ask, limit, otherLimit, nodeA } = await books();
    const other = await otherLimit(5n);
    const items = [
      { limit, need: 10n },
      { limit: other, need: 10n },
    ];
    expect(await ask(nodeA, 1, items, { all: true })).toMatchObject([{ outcome: 'withheld', granted: 0n }, { outcome: 'short' }]);
    expect(await ask(nodeA, 1, items)).toMatchObject([{ outcome: 'granted', granted: 10n }, { outcome: 'short' }]);
  });

  test('an older epoch, a node that was called lost and one that was long silent are fenced, and told what they were granted', async () => {
    const context = await books();
    const { ask, limit, clockAt, nodeA } = context;
    const counter = await context.granted(10n);
    const item = { limit, counter, known: 10n, need: 10n };
    await clockAt(301);
    expect(await ask(nodeA, 1, [item])).toMatchObject([{ status: 'fenced', outcome: 'withheld', granted: 10n }]);
    await context.beat(nodeA, 1, 'a1', 0, 'n');
    expect(await ask(nodeA, 1, [item])).toMatchObject([{ status: 'answered', granted: 20n }]);
    expect(await context.declareLost(nodeA)).toBe('lost');
    expect(await ask(nodeA, 1, [{ ...item, known: 20n }])).toMatchObject([{ status: 'fenced', granted: 20n }]);
    await context.register(nodeA, 2, 'a2');
    expect(await ask(nodeA, 1, [{ ...item, known: 20n }])).toMatchObject([{ status: 'fenced' }]);
  });

  test('a group value has a counter of its own, made by the first ask, and many first asks at once make one', async () => {
    const { ask, limit, database, nodeA, nodeB } = await books();
    const answers = await Promise.all(
      [nodeA, nodeB].flatMap((node) => ['x', 'y'].map((group) => ask(node, 1, [{ limit, group, need: 500n }]))),
    );
    expect(answers.flat().map(({ outcome }) => outcome)).toEqual(Array.from({ length: 4 }, () => 'granted'));
    const counters = await database.writer.db
      .selectFrom('counter_states')
      .select(['group_key', 'committed'])
      .where('limit_id', '=', limit)
      .orderBy('group_key')
      .execute();
    expect(counters).toEqual([
      { group_key: 'x', committed: 1000n },
      { group_key: 'y', committed: 1000n },
    ]);
  });

  test('a window that is over is gone, the next one can be asked for ahead, and the new one is full again', async () => {
    const { ask, limit, clockAt, awake, nodeA } = await books({ kind: 'day', zone: 'America/New_York' });
    const [today] = await ask(nodeA, 1, [{ limit, need: 1000n }]);
    expect(today).toMatchObject({ window_key: '0:day:2026-03-10T04:00:00Z', ends_in_ms: 16n * 3_600_000n, opens_in_ms: 0n });
    const [ahead] = await ask(nodeA, 1, [{ limit, next: true, need: 1000n }]);
    expect(ahead).toMatchObject({ outcome: 'granted', granted: 1000n, opens_in_ms: 16n * 3_600_000n });
    await clockAt(16 * 3600);
    await awake();
    const counter = today?.counter_id ?? null;
    expect(await ask(nodeA, 1, [{ limit, counter, known: 1000n, need: 1n }])).toMatchObject([{ outcome: 'gone', granted: 1000n }]);
    expect(await ask(nodeA, 1, [{ limit, need: 1n }])).toMatchObject([{ outcome: 'held', counter_id: ahead?.counter_id, granted: 1000n }]);
  });
});

describe('returning', () => {
  test('a sum given back twice counts once, a late one is overtaken, and room given back can be granted again', async () => {
    const context = await books();
    const counter = await context.granted(1000n);
    const { giveBack, ask, limit, nodeA, nodeB } = context;
    expect(await giveBack(nodeA, 1, [{ counter, returned: 300n }])).toMatchObject([
      { status: 'answered', outcome: 'returned', returned: 300n },
    ]);
    expect(await giveBack(nodeA, 1, [{ counter, returned: 300n }])).toMatchObject([{ outcome: 'returned', returned: 300n }]);
    expect(await giveBack(nodeA, 1, [{ counter, returned: 200n }])).toMatchObject([{ outcome: 'returned', returned: 300n }]);
    expect(await ask(nodeB, 1, [{ limit, need: 300n }])).toMatchObject([{ outcome: 'granted', rest: 0n }]);
  });

  test('a node that is called lost can give back, a closed lease cannot, and more than was granted is none', async () => {
    const context = await books();
    const { nodeA } = context;
    const counter = await context.granted(100n);
    await context.declareLost(nodeA);
    expect(await context.giveBack(nodeA, 1, [{ counter, returned: 40n }])).toMatchObject([{ outcome: 'returned', granted: 100n }]);
    expect(await context.giveBack(nodeA, 1, [{ counter, returned: 101n }])).toMatchObject([{ outcome: 'forgotten', returned: 40n }]);
    await context.register(nodeA, 2, 'a2', [{ counter, epoch: 1, final: 50n }]);
    expect(await context.giveBack(nodeA, 1, [{ counter, returned: 70n }])).toMatchObject([{ outcome: 'gone' }]);
    expect(await state(context, counter)).toMatchObject({ committed: 50n, held: 50n });
  });
});

describe('closing', () => {
  test('a lease whose window is over is closed at what its owner spent, and what was spent stays held until it is posted', async () => {
    const context = await books({ kind: 'hour' });
    const counter = await context.granted(100n);
    const { beat, close, clockAt, nodeA } = context;
    await context.post([{ counter, node: nodeA, epoch: 1, debit: 30n, cost: 30n }]);
    expect(await close(nodeA, 1, [{ counter, final: 70n }])).toMatchObject([{ status: 'answered', outcome: 'open' }]);
    expect(await state(context, counter)).toMatchObject({ held: 70n });
    await clockAt(3600);
    // However long it is over, and whoever is silent: without the owner's word all of it stays held.
    expect(await state(context, counter)).toMatchObject({ held: 70n, settled: 30n });
    expect(await close(nodeA, 1, [{ counter, final: 101n }])).toMatchObject([{ outcome: 'forgotten' }]);
    expect(await close(nodeA, 1, [{ counter, final: 70n }])).toMatchObject([{ outcome: 'closed' }]);
    expect(await state(context, counter)).toMatchObject({ held: 40n, settled: 30n, committed: 70n });
    expect(await close(nodeA, 1, [{ counter, final: 0n }])).toMatchObject([{ outcome: 'gone' }]);
    expect(await context.giveBack(nodeA, 1, [{ counter, returned: 100n }])).toMatchObject([{ outcome: 'gone' }]);
    const [told] = await beat(nodeA, 1, 'a1', 0, 'n');
    expect(told).toMatchObject({ counter_id: counter, gone: true });
    await clockAt(3700);
    expect(await beat(nodeA, 1, 'a1', 1, 'm', [], { since: new Date(startedAt + 3_690_000) })).toMatchObject([{ counter_id: null }]);
    await context.post([{ counter, node: nodeA, epoch: 1, debit: 40n, cost: 40n }]);
    expect(await state(context, counter)).toMatchObject({ held: 0n, settled: 70n, overrun: 0n });
  });
});

describe('beating', () => {
  test('a beat is told from its repetition and from the beat of a copy, and one the database forgot proves a restore', async () => {
    const { beat, nodeA } = await books({}, 'own');
    expect(await beat(nodeA, 1, 'a1', 0, 'n')).toMatchObject([{ status: 'taken', beat: 1n, live: 2, reconciling: false }]);
    expect(await beat(nodeA, 1, 'a1', 0, 'n')).toMatchObject([{ status: 'taken', beat: 1n }]);
    expect(await beat(nodeA, 1, 'a1', 0, 'other')).toMatchObject([{ status: 'copied', beat: 0n }]);
    expect(await beat(nodeA, 1, 'a9', 1, 'm')).toMatchObject([{ status: 'copied' }]);
    expect(await beat(nodeA, 1, 'a1', 5, 'm')).toMatchObject([{ status: 'forgotten', generation: 2n, reconciling: true }]);
    expect(await beat(nodeA, 1, 'a1', 5, 'm')).toMatchObject([{ status: 'forgotten', generation: 2n }]);
  });

  test('a beat repeats what is given back, and tells what changed: limits, seals, shortage, but not what did not', async () => {
    const context = await books({ kind: 'day' });
    const counter = await context.granted(100n);
    const { beat, clockAt, database, limit, nodeA } = context;
    const [first] = await beat(nodeA, 1, 'a1', 0, 'n1', [{ counter, returned: 30n }]);
    expect(first).toMatchObject({ counter_id: counter, granted: 100n, amount: 1000n, limit_version: 1, gone: false, wanted: false });
    expect(await state(context, counter)).toMatchObject({ held: 70n });
    const since = first?.as_of ?? null;
    await clockAt(90);
    expect(await beat(nodeA, 1, 'a1', 1, 'n2', [], { since: new Date((since?.getTime() ?? 0) + 80_000) })).toMatchObject([
      { status: 'taken', counter_id: null },
    ]);
    await changeAmount(database.writer.db, limit, 50n);
    expect(await beat(nodeA, 1, 'a1', 2, 'n3', [], { since: new Date(startedAt + 90_000) })).toMatchObject([
      { counter_id: counter, amount: 50n, limit_version: 2 },
    ]);
    await context.reset(limit);
    expect(await beat(nodeA, 1, 'a1', 3, 'n4', [], { since: new Date(startedAt + 90_000) })).toMatchObject([
      { counter_id: counter, gone: true },
    ]);
  });

  test('a beat finds again a node that was called lost', async () => {
    const context = await books();
    const { nodeA } = context;
    const counter = await context.granted(100n);
    await context.declareLost(nodeA);
    expect(await state(context, counter)).toMatchObject({ held: 100n, lost: 100n });
    await context.beat(nodeA, 1, 'a1', 0, 'n');
    expect(await state(context, counter)).toMatchObject({ held: 100n, lost: 0n });
  });
});

describe('registering', () => {
  test('a younger epoch closes the leases of older ones at their final sums, whatever the ledger has seen, and a repetition changes nothing', async () => {
    const context = await books();
    const counter = await context.granted(100n);
    const { register, nodeA } = context;
    expect(await register(nodeA, 2, 'a2', [{ counter, epoch: 1, final: 60n }])).toMatchObject({
      status: 'registered',
      generation: 1n,
      reconciling: false,
    });
    expect(await state(context, counter)).toMatchObject({ committed: 60n, held: 60n, settled: 0n });
    await context.beat(nodeA, 2, 'a2', 0, 'n');
    expect(await register(nodeA, 2, 'a2', [{ counter, epoch: 1, final: 60n }])).toMatchObject({ status: 'registered' });
    expect(await context.beat(nodeA, 2, 'a2', 1, 'm')).toMatchObject([{ status: 'taken', beat: 2n }]);
    expect(await register(nodeA, 2, 'other')).toMatchObject({ status: 'superseded' });
    expect(await register(nodeA, 1, 'a1')).toMatchObject({ status: 'superseded' });
    await context.post([{ counter, node: nodeA, epoch: 1, debit: 60n, cost: 60n }]);
    expect(await state(context, counter)).toMatchObject({ settled: 60n, held: 0n });
  });

  test('a final sum that is told twice closes its lease once', async () => {
    const context = await books();
    const counter = await context.granted(100n);
    await context.register(context.nodeA, 2, 'a2', [
      { counter, epoch: 1, final: 60n },
      { counter, epoch: 1, final: 60n },
    ]);
    expect(await state(context, counter)).toMatchObject({ committed: 60n, held: 60n });
  });

  test('a torn spool leaves its unspent rest unproven, held and listed as lost, until a person releases it', async () => {
    const context = await books();
    const { nodeA } = context;
    const counter = await context.granted(100n);
    await context.register(nodeA, 2, 'a2', [{ counter, epoch: 1, final: 60n }], { torn: [1] });
    expect(await state(context, counter)).toMatchObject({ committed: 100n, held: 100n, lost: 40n });
    await context.post([{ counter, node: nodeA, epoch: 1, debit: 70n, cost: 70n }]);
    expect(await state(context, counter)).toMatchObject({ settled: 70n, held: 30n, lost: 30n });
    expect(await context.release(nodeA, counter, 1, 0n)).toEqual({ status: 'released', freed: 30n });
    expect(await state(context, counter)).toMatchObject({ settled: 70n, held: 0n, lost: 0n, committed: 70n });
  });

  test('a spool that moved is not taken over before its node has been silent for six minutes', async () => {
    const { register, clockAt, nodeA } = await books();
    await clockAt(100);
    expect(await register(nodeA, 2, 'a2', [], { moved: true })).toMatchObject({ status: 'wait', wait_ms: 260_000n });
    expect(await register(nodeA, 1, 'a1', [], { moved: true })).toMatchObject({ status: 'registered' });
    await clockAt(360);
    expect(await register(nodeA, 2, 'a2', [], { moved: true })).toMatchObject({ status: 'registered' });
  });
});

describe('posting', () => {
  test('held becomes settled and room stays as it was; what no debit covers is excess, what the ledger rates below is credited', async () => {
    const context = await books();
    const { nodeA } = context;
    const counter = await context.granted(100n);
    const hold = { counter, node: nodeA, epoch: 1 };
    await context.post([
      { ...hold, debit: 30n, cost: 30n },
      { ...hold, debit: 10n, cost: 14n },
      { ...hold, debit: 20n, cost: 5n },
    ]);
    expect(await state(context, counter)).toMatchObject({ settled: 49n, held: 40n, overrun: 4n, committed: 85n });
  });

  test('what is posted on a closed, lost or unknown lease is never refused: beyond the room it is overrun', async () => {
    const context = await books();
    const { nodeA, nodeB } = context;
    const counter = await context.granted(100n);
    await context.register(nodeA, 2, 'a2', [{ counter, epoch: 1, final: 10n }]);
    await context.post([
      { counter, node: nodeA, epoch: 1, debit: 25n, cost: 25n },
      { counter, node: testId('node', 998), epoch: 7, debit: 3n, cost: 2n },
      { counter: testId('limit', 998), node: nodeA, epoch: 1, debit: 5n, cost: 1n },
    ]);
    expect(await state(context, counter)).toMatchObject({ settled: 27n, held: 0n, overrun: 18n, committed: 9n });
    expect(await context.ask(nodeB, 1, [{ limit: context.limit, need: 1n }])).toMatchObject([{ outcome: 'granted', rest: 972n }]);
  });

  test('a cheaper correction makes room, a dearer one is an overrun', async () => {
    const context = await books();
    const { nodeA } = context;
    const counter = await context.granted(100n);
    await context.post([{ counter, node: nodeA, epoch: 1, debit: 50n, cost: 50n }]);
    await context.correct(counter, -20n, new Date(startedAt));
    expect(await state(context, counter)).toMatchObject({ settled: 30n, held: 50n, committed: 80n, overrun: 0n });
    await context.correct(counter, 5n, new Date(startedAt));
    expect(await state(context, counter)).toMatchObject({ settled: 35n, held: 50n, committed: 80n, overrun: 5n });
  });
});

describe('rolling windows', () => {
  test('what was posted leaves a window after it, at most a bucket late and never early', async () => {
    const context = await books({ kind: 'rolling', windowSeconds: 600 });
    const { nodeA, nodeB } = context;
    const counter = await context.granted(1000n);
    await context.clockAt(5);
    await context.post([{ node: nodeA, epoch: 1, counter, debit: 700n, cost: 710n }]);
    await context.giveBack(nodeA, 1, [{ counter, returned: 300n }]);
    await context.clockAt(606);
    await context.awake();
    expect(await context.ask(nodeB, 1, [{ limit: context.limit, need: 291n }])).toMatchObject([
      { outcome: 'short', rest: 290n, unsettled: 290n },
    ]);
    await context.clockAt(610);
    expect(await context.ask(nodeB, 1, [{ limit: context.limit, need: 1000n }])).toMatchObject([{ outcome: 'granted', rest: 0n }]);
    expect(await state(context, counter)).toMatchObject({ settled: 0n, held: 1000n, overrun: 0n });
  });

  test('room that is held does not leave, however old: only what was posted does', async () => {
    const context = await books({ kind: 'rolling', windowSeconds: 60 });
    const { nodeB } = context;
    await context.granted(1000n);
    await context.clockAt(3600);
    await context.awake();
    expect(await context.ask(nodeB, 1, [{ limit: context.limit, need: 1n }])).toMatchObject([{ outcome: 'short', rest: 0n }]);
  });

  test('a credit for what has left makes no room, and one for what is still there makes it once', async () => {
    const context = await books({ kind: 'rolling', windowSeconds: 60 });
    const { nodeA, nodeB } = context;
    const counter = await context.granted(1000n);
    await context.post([{ node: nodeA, epoch: 1, counter, debit: 400n, cost: 400n }]);
    await context.clockAt(30);
    await context.post([{ node: nodeA, epoch: 1, counter, debit: 600n, cost: 600n }]);
    await context.clockAt(61);
    await context.ask(nodeB, 1, [{ limit: context.limit, need: 400n }]);
    await context.correct(counter, -100n, new Date(startedAt));
    expect(await context.ask(nodeB, 1, [{ limit: context.limit, counter, known: 400n, need: 1n }])).toMatchObject([
      { outcome: 'short', rest: 0n },
    ]);
    await context.correct(counter, -100n, new Date(startedAt + 30_000));
    expect(await context.ask(nodeB, 1, [{ limit: context.limit, counter, known: 400n, need: 101n }])).toMatchObject([
      { outcome: 'short', rest: 100n },
    ]);
    await context.clockAt(92);
    expect(await context.ask(nodeB, 1, [{ limit: context.limit, counter, known: 400n, need: 601n }])).toMatchObject([
      { outcome: 'short', rest: 600n },
    ]);
  });

  test('what a slow transaction posts into a bucket that has left already is taken off as well', async () => {
    const context = await books({ kind: 'rolling', windowSeconds: 60 });
    const { nodeA, nodeB } = context;
    const counter = await context.granted(1000n);
    await context.database.writer.db.transaction().execute(async (slow) => {
      await leaseFunctions(slow).post([{ node: nodeA, epoch: 1, counter, debit: 1000n, cost: 1000n }]);
      await context.clockAt(100);
      await context.ask(nodeB, 1, [{ limit: context.limit, need: 1n }]);
    });
    await context.clockAt(101);
    expect(await context.ask(nodeB, 1, [{ limit: context.limit, need: 1000n }])).toMatchObject([{ outcome: 'granted' }]);
  });
});

describe('losing and releasing', () => {
  test('only what is lost or unproven can be released, and what turns up later is an overrun', async () => {
    const context = await books();
    const counter = await context.granted(100n);
    const { release, declareLost, nodeA, nodeB } = context;
    expect(await release(nodeA, counter, 1, 0n)).toEqual({ status: 'living', freed: 0n });
    expect(await release(nodeB, counter, 1, 0n)).toEqual({ status: 'unknown', freed: 0n });
    expect(await declareLost(testId('node', 999))).toBe('unknown');
    await declareLost(nodeA);
    await context.post([{ counter, node: nodeA, epoch: 1, debit: 20n, cost: 20n }]);
    expect(await release(nodeA, counter, 1, 5n)).toEqual({ status: 'released', freed: 80n });
    await context.post([{ counter, node: nodeA, epoch: 1, debit: 30n, cost: 30n }]);
    expect(await state(context, counter)).toMatchObject({ settled: 50n, held: 0n, overrun: 30n, committed: 20n });
    expect(await context.giveBack(nodeA, 1, [{ counter, returned: 90n }])).toMatchObject([{ outcome: 'gone' }]);
  });

  test('a closed lease of a lost node counts as lost until its settlements are there', async () => {
    const context = await books();
    const { nodeA } = context;
    const counter = await context.granted(100n);
    await context.register(nodeA, 2, 'a2', [{ counter, epoch: 1, final: 60n }]);
    await context.declareLost(nodeA);
    expect(await state(context, counter)).toMatchObject({ held: 60n, lost: 60n });
    await context.post([{ counter, node: nodeA, epoch: 1, debit: 60n, cost: 60n }]);
    expect(await state(context, counter)).toMatchObject({ held: 0n, lost: 0n });
  });
});

describe('limits that change', () => {
  test('a lowered limit grants nothing until committed has fallen below it, and a raised one is there at the next ask', async () => {
    const context = await books();
    const counter = await context.granted(800n);
    const { ask, giveBack, limit, database, nodeA, nodeB } = context;
    await changeAmount(database.writer.db, limit, 500n);
    expect(await ask(nodeB, 1, [{ limit, need: 1n }])).toMatchObject([{ outcome: 'short', rest: -300n, amount: 500n }]);
    await giveBack(nodeA, 1, [{ counter, returned: 400n }]);
    expect(await ask(nodeB, 1, [{ limit, need: 100n }])).toMatchObject([{ outcome: 'granted', rest: 0n }]);
    await changeAmount(database.writer.db, limit, 501n);
    expect(await ask(nodeB, 1, [{ limit, known: 100n, need: 1n }])).toMatchObject([{ outcome: 'granted', rest: 0n }]);
  });

  test('a reset seals the counter, begins another and keeps what the old one holds', async () => {
    const context = await books();
    const counter = await context.granted(800n);
    const { ask, limit, nodeA } = context;
    await context.reset(limit);
    expect(await ask(nodeA, 1, [{ limit, counter, known: 800n, need: 1n }])).toMatchObject([{ outcome: 'gone' }]);
    expect(await ask(nodeA, 1, [{ limit, need: 1000n }])).toMatchObject([{ outcome: 'granted', granted: 1000n, window_key: '1:lifetime' }]);
    await context.post([{ counter, node: nodeA, epoch: 1, debit: 800n, cost: 800n }]);
    expect(await state(context, counter)).toMatchObject({ settled: 800n, held: 0n, sealed_at: expect.any(Date) });
  });

  test('a raise ends by itself at its moment, beats tell of it, and what was granted by then stays', async () => {
    const context = await books();
    const { ask, beat, limit, clockAt, database, nodeA, nodeB } = context;
    const counter = await context.granted(1000n);
    await raiseLimit(database.writer.db, limit, { by: 500n, until: new Date(startedAt + 100_000) });
    expect(await ask(nodeB, 1, [{ limit, need: 200n }])).toMatchObject([{ outcome: 'granted', amount: 1500n, rest: 300n }]);
    const [told] = await beat(nodeB, 1, 'b1', 0, 'n');
    expect(told).toMatchObject({ counter_id: counter, amount: 1500n, limit_version: 3 });
    await clockAt(99.999);
    expect(await ask(nodeB, 1, [{ limit, counter, known: 200n, need: 300n }])).toMatchObject([{ outcome: 'granted', rest: 0n }]);
    await clockAt(100);
    expect(await ask(nodeB, 1, [{ limit, counter, known: 500n, need: 1n }])).toMatchObject([
      { outcome: 'short', amount: 1000n, rest: -500n },
    ]);
    expect(await state(context, counter)).toMatchObject({ amount: 1000n, limit_version: 4, committed: 1500n });
    await clockAt(190);
    const since = new Date(startedAt + 130_000);
    expect(await beat(nodeB, 1, 'b1', 1, 'm', [], { since })).toMatchObject([{ counter_id: counter, amount: 1000n, limit_version: 4 }]);
    // The room of who gives back is room again only below the limit that counts now.
    await context.giveBack(nodeA, 1, [{ counter, returned: 600n }]);
    expect(await ask(nodeB, 1, [{ limit, counter, known: 500n, need: 100n }])).toMatchObject([{ outcome: 'granted', rest: 0n }]);
  });

  test('a sealed limit and one that is unknown grant nothing', async () => {
    const { ask, limit, database, nodeA } = await books();
    await sql`update budget_limits set sealed_at = now() where id = ${limit}`.execute(database.writer.db);
    const items = [
      { limit, need: 0n },
      { limit: testId('limit', 999), need: 0n },
    ];
    expect(await ask(nodeA, 1, items)).toMatchObject([
      { outcome: 'gone', counter_id: null },
      { outcome: 'gone', counter_id: null },
    ]);
  });

  test('a limit whose zone or anchor PostgreSQL does not know is not let in', async () => {
    const { database } = await books();
    const insert = (zone: string, anchor: string) =>
      insertLimit(database.writer.db, { number: 997, amount: 1n, kind: 'day', zone, anchor });
    await expect(insert('Europe/Nowhere', '2001-01-01T00:00:00')).rejects.toThrow(/time zone/);
    await expect(insert('UTC', '2001-02-30T00:00:00')).rejects.toThrow(/out of range/);
    await expect(insert('UTC', '1 January 2001')).rejects.toThrow(/window_anchor/);
  });
});

describe('after a restore', () => {
  /** As it is when a backup was put back: what was kept is there again, on another timeline. */
  async function restored(context: Books): Promise<void> {
    await sql`update lease_generation set timeline = '000000FF'`.execute(context.database.owner.db);
  }

  test('nothing is granted or released until every node has told, and then the greater of both sides holds', async () => {
    const context = await books({}, 'own');
    const counter = await context.granted(100n);
    const { ask, report, limit, nodeA, nodeB } = context;
    await restored(context);
    expect(await ask(nodeB, 1, [{ limit, need: 1n }])).toMatchObject([{ status: 'reconciling', generation: 2n }]);
    expect(await context.giveBack(nodeA, 1, [{ counter, returned: 1n }])).toMatchObject([{ status: 'reconciling', outcome: null }]);
    expect(await context.release(nodeA, counter, 1, 0n)).toEqual({ status: 'reconciling', freed: 0n });
    expect(await report(nodeA, 1, 'a1', 1, 0, [])).toMatchObject({ status: 'stale', generation: 2n });
    // After the backup node A was granted 400 more and gave back 20.
    expect(await report(nodeA, 1, 'a1', 2, 0, [{ counter, epoch: 1, granted: 500n, returned: 20n }])).toMatchObject({ status: 'staged' });
    expect(await ask(nodeB, 1, [{ limit, need: 1n }], { generation: 2 })).toMatchObject([{ status: 'reconciling' }]);
    expect(await report(nodeB, 1, 'b1', 2, 0, [])).toMatchObject({ status: 'resumed' });
    expect(await state(context, counter)).toMatchObject({ committed: 480n, held: 480n });
    expect(await ask(nodeB, 1, [{ limit, need: 520n }])).toMatchObject([{ status: 'reconciling', generation: 2n }]);
    expect(await ask(nodeB, 1, [{ limit, need: 520n }], { generation: 2 })).toMatchObject([{ outcome: 'granted', rest: 0n }]);
  });

  test('a counter and a node that are younger than the backup come back under their ids', async () => {
    const context = await books({ kind: 'rolling', windowSeconds: 600 }, 'own');
    const { nodeA, nodeB } = context;
    const counter = await context.granted(100n);
    const [young] = await context.ask(nodeA, 1, [{ limit: context.limit, group: 'young', need: 70n }]);
    const place = { limit: context.limit, window_key: young?.window_key, group: 'young', starts_at: null, ends_at: null };
    const youngCounter = young?.counter_id ?? '';
    const nodeC = testId('node', 3);
    await context.post([{ counter: youngCounter, node: nodeC, epoch: 1, debit: 4n, cost: 4n }]);
    const { owner } = context.database;
    await owner.execute(`set session_replication_role = replica; delete from leases where counter_id = '${youngCounter}';
      delete from budget_counters where id = '${youngCounter}'; alter table lease_log disable trigger all;
      delete from lease_log where counter_id = '${youngCounter}'; alter table lease_log enable trigger all;
      set session_replication_role = origin`);
    await restored(context);
    await context.report(nodeA, 1, 'a1', 1, 0, []);
    expect(
      await context.report(nodeA, 1, 'a1', 2, 0, [
        { counter: youngCounter, epoch: 1, granted: 70n, place },
        { counter, epoch: 1, granted: 100n },
      ]),
    ).toMatchObject({ status: 'staged' });
    await context.report(nodeB, 1, 'b1', 2, 0, []);
    // Node C is known by what it posted alone.
    expect(await context.declareLost(nodeC)).toBe('lost');
    expect(
      await context.ask(nodeA, 1, [{ limit: context.limit, counter: youngCounter, known: 70n, need: 1n }], { generation: 2 }),
    ).toMatchObject([{ outcome: 'granted', granted: 71n }]);
    expect(await state(context, youngCounter)).toMatchObject({ held: 71n, settled: 4n, overrun: 4n });
  });

  test('what is being posted on a forgotten counter counts on it, whichever of the two comes first', async () => {
    const context = await books({ kind: 'rolling', windowSeconds: 600 }, 'own');
    const { database, limit, nodeA } = context;
    const { rows } = await sql<{ counter: string }>`select budget_counter_id(${limit}, '0:rolling', '') as counter`.execute(
      database.writer.db,
    );
    const counter = rows[0]?.counter ?? '';
    const hold = { node: nodeA, epoch: 1, counter, debit: 10n };
    const asked = await database.writer.db.transaction().execute(async (slow) => {
      await leaseFunctions(slow).post([{ ...hold, cost: 4n }]);
      const answer = context.ask(nodeA, 1, [{ limit, need: 1n }]);
      await eventually(async () => {
        const waiting = await sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
          and query like '%lease_ask%'`.execute(database.owner.db);
        return waiting.rows.length === 1;
      });
      return { answer };
    });
    expect(await asked.answer).toMatchObject([{ outcome: 'granted' }]);
    await context.post([{ ...hold, cost: 7n }]);
    expect(await state(context, counter)).toMatchObject({ settled: 11n });
    await context.clockAt(700);
    await context.awake();
    await context.ask(nodeA, 1, [{ limit, counter, known: 1n, need: 0n }]);
    expect(await state(context, counter)).toMatchObject({ settled: 0n });
  });

  test('less granted than its owner knows proves a restore, once', async () => {
    const context = await books({}, 'own');
    const { nodeA, nodeB } = context;
    const counter = await context.granted(100n);
    const item = { limit: context.limit, counter, known: 150n, need: 1n };
    expect(await context.ask(nodeA, 1, [item])).toMatchObject([{ status: 'reconciling', generation: 2n }]);
    expect(await context.ask(nodeA, 1, [item])).toMatchObject([{ status: 'reconciling', generation: 2n }]);
    expect(await context.beat(nodeB, 1, 'b1', 0, 'n')).toMatchObject([{ status: 'taken', generation: 2n, reconciling: true }]);
  });

  test('a node that starts meanwhile reports with its registration', async () => {
    const context = await books({}, 'own');
    const { nodeA, nodeB } = context;
    const counter = await context.granted(100n);
    await restored(context);
    await context.report(nodeB, 1, 'b1', 1, 0, []);
    expect(await context.report(nodeB, 1, 'b1', 2, 0, [])).toMatchObject({ status: 'staged' });
    expect(await context.register(nodeA, 2, 'a2', [{ counter, epoch: 1, final: 130n }])).toMatchObject({
      status: 'registered',
      reconciling: false,
    });
    expect(await state(context, counter)).toMatchObject({ committed: 130n, held: 130n });
  });

  test('a restart of the same server is no restore', async () => {
    const context = await books({}, 'own');
    const { nodeA } = context;
    await sql`update lease_generation set server_started_at = '2020-01-01'`.execute(context.database.owner.db);
    expect(await context.ask(nodeA, 1, [{ limit: context.limit, need: 1n }])).toMatchObject([{ status: 'answered', generation: 1n }]);
    const { rows } = await sql`select server_started_at = pg_postmaster_start_time() as noted from lease_generation`.execute(
      context.database.owner.db,
    );
    expect(rows).toEqual([{ noted: true }]);
  });
});

describe('who may', () => {
  test('a reader sees the counters, leases and log of its organization only, and may not ask', async () => {
    const context = await books({}, 'own');
    const { nodeA } = context;
    await context.granted(100n);
    const { reader } = context.database;
    const seen = (organization: string) =>
      reader.db.transaction().execute(async (moment) => {
        await sql`select set_config('turnpike.organization_id', ${organization}, true)`.execute(moment);
        const { rows } = await sql`select (select count(*) from counter_states) as counters, (select count(*) from lease_states) as leases,
          (select count(*) from lease_log) as log, (select count(*) from budget_limits) as limits`.execute(moment);
        return rows[0];
      });
    expect(await seen(organizationId)).toEqual({ counters: 1n, leases: 1n, log: 1n, limits: 1n });
    expect(await seen(testId('organization', 2))).toEqual({ counters: 0n, leases: 0n, log: 0n, limits: 0n });
    await expect(leaseFunctions(reader.db).ask(nodeA, 1, [{ limit: context.limit, need: 1n }])).rejects.toThrow(/permission denied/);
  });

  test('a writer changes nothing of the leases but by the functions that are for its use', async () => {
    const { database } = await books({}, 'own');
    const { rows } = await sql<{ name: string }>`
      select relname as name from pg_class where relnamespace = 'public'::regnamespace
        and relname in ('lease_generation', 'lease_nodes', 'budget_counters', 'leases', 'lease_log', 'lease_postings', 'counter_totals',
          'counter_buckets', 'lease_reports')
        and not has_any_column_privilege('turnpike_writer', oid, 'insert, update') and not has_table_privilege('turnpike_writer', oid, 'delete, truncate')`.execute(
      database.owner.db,
    );
    expect(rows).toHaveLength(9);
    const inner = ['lease_move', 'lease_credit', 'lease_age', 'lease_adopt', 'lease_resume', 'lease_return_all', 'lease_notice_restore'];
    const { rows: callable } = await sql<{ name: string; writer: boolean; reader: boolean }>`
      select proname as name, has_function_privilege('turnpike_writer', oid, 'execute') as writer,
        has_function_privilege('turnpike_reader', oid, 'execute') as reader
      from pg_proc where pronamespace = 'public'::regnamespace and proname like 'lease\\_%' and provolatile = 'v' and prosqlbody is null`.execute(
      database.owner.db,
    );
    expect(
      callable
        .filter(({ writer }) => !writer)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...inner].sort());
    expect(callable.filter(({ reader }) => reader)).toEqual([]);
  });

  test('an entry of the log can neither be changed nor removed, by nobody', async () => {
    const context = await books();
    await context.granted(100n);
    for (const statement of ['update lease_log set amount = 0', 'delete from lease_log', 'truncate lease_log']) {
      await expect(context.database.owner.execute(statement)).rejects.toThrow(/append-only/);
      await expect(context.database.writer.execute(statement)).rejects.toThrow(/permission denied/);
    }
  });

  test('committed above its cap is refused by the table itself', async () => {
    const context = await books();
    const counter = await context.granted(1000n);
    await expect(sql`update budget_counters set committed = 1001 where id = ${counter}`.execute(context.database.owner.db)).rejects.toThrow(
      /committed_within_cap/,
    );
  });
});
