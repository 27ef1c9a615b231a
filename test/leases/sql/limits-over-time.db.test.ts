import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { larger } from '../mirror/amounts.ts';
import type { ModelCounter, ModelLimit } from './admission-model.ts';
import { countedAt, createAdmissionModel, leaseOf, postedWithin, roomAt } from './admission-model.ts';
import type { AskedItem, LeaseFunctions } from './lease-functions.ts';
import { brokenBooks, insertLimit, insertOrganization, leaseFunctions, setTestClock, stopClock, testId } from './lease-functions.ts';
import { changesOfClocks } from './window-reference.ts';

const nodes = [1, 2, 3].map((number) => testId('node', number));
/** Midnight twice, a change of half an hour, no midnight, a skipped day. */
const zones = ['America/Havana', 'America/New_York', 'Australia/Lord_Howe', 'America/Sao_Paulo', 'Pacific/Apia', 'UTC'];
const kinds = ['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year', 'rolling', 'lifetime'] as const;
const limitsOfAKind = 6;
const units = ['usd', 'tokens', 'requests', 'input_tokens', 'output_tokens'] as const;

/** TURNPIKE_TEST_SEED tries others. */
const seed = Number(process.env.TURNPIKE_TEST_SEED ?? 20_261_121);

let database: TestDatabase;
let functions: LeaseFunctions;

beforeAll(async () => {
  database = await createTestDatabase();
  await stopClock(database, new Date('2011-01-01T00:00:00Z'));
  await insertOrganization(database.writer.db);
  functions = leaseFunctions(database.writer.db);
  for (const node of nodes) await functions.register(node, 1, 'e1');
});
afterAll(() => database.drop());

/** However much time passes, the nodes are there. */
async function setClock(at: number): Promise<void> {
  await setTestClock(database, new Date(at));
  await sql`update lease_nodes set seen_at = ${new Date(at)}`.execute(database.owner.db);
}

const wall = (text: string): number => Date.parse(`${text}Z`);

/** Each kind of window in each zone, every other one from midnight on. */
function sampleLimits(): readonly ModelLimit[] {
  const anchors = ['2023-12-31T00:00:00', '2024-02-29T02:30:00', '2020-10-30T23:59:59', '2011-12-30T12:00:00'];
  const shape = fc.record({
    anchor: fc.constantFrom(...anchors).map(wall),
    amount: fc.oneof(fc.bigInt({ min: 1n, max: 25n }), fc.bigInt({ min: 1n, max: 10n ** 24n })),
    windowSeconds: fc.constantFrom(60, 3_600, 86_400, 30 * 86_400, 366 * 86_400),
  });
  return kinds.flatMap((kind, index) =>
    fc.sample(shape, { numRuns: limitsOfAKind, seed: seed + index }).map(({ anchor, amount, windowSeconds }, place) => ({
      kind,
      zone: zones[place % zones.length] ?? 'UTC',
      anchor: place % 2 === 0 ? wall('2001-01-01T00:00:00') : anchor,
      amount,
      windowSeconds: kind === 'rolling' ? windowSeconds : null,
    })),
  );
}

/** Changes of clocks, a skipped day, leap days, ends of months and years, and the ends of windows: the moment before, the moment, some time after. */
function sampleMoments(random: ReturnType<typeof seededRandom>, endAfter: (at: number) => number): readonly number[] {
  const days = ['2012-02-29', '2012-03-01', '2023-02-28', '2023-12-31', '2024-01-31', '2024-02-29', '2024-03-01', '2024-12-31'];
  const changes = zones.map((zone) =>
    [2011, 2018, 2024].flatMap((year) => changesOfClocks(Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1), zone)),
  );
  const instants = [...days.map((day) => Date.parse(`${day}T00:00:00Z`)), ...changes.flat()];
  // Of each zone its last change of all, which is one where a local hour comes twice.
  const chosen = [
    ...changes.flatMap((of) => of.slice(-1)),
    ...Array.from({ length: 5 }, () => instants[random.below(instants.length)] ?? 0),
  ];
  const around = chosen.flatMap((at) => [at, endAfter(at)]).flatMap((at) => [at - 1, at, at + 30_000 + random.below(5_400_000)]);
  return [...new Set(around)].sort((one, other) => one - other);
}

test('whatever is asked for when, what is admitted in a window is its limit exactly: never a unit more, and none refused that fits', async () => {
  const random = seededRandom(seed);
  const limits = sampleLimits();
  const ids: string[] = [];
  for (const [index, { kind, zone, amount, anchor, windowSeconds }] of limits.entries()) {
    const window = windowSeconds === null ? {} : { windowSeconds };
    const number = 1 + index;
    ids.push(
      await insertLimit(database.writer.db, {
        number,
        unit: units[index % units.length] ?? 'usd',
        kind,
        zone,
        amount,
        anchor: new Date(anchor).toISOString().slice(0, 19),
        ...window,
      }),
    );
  }
  const model = createAdmissionModel(limits);
  const idOf = new Map<ModelCounter, string>();
  const part = (of: bigint): bigint => (of * BigInt(random.below(101))) / 100n;
  const wrong: unknown[] = [];
  let granted = 0;
  let short = 0;

  /** One ask of one node, of every limit at once; `need` is what it asks of a counter. */
  const askAll = async (
    node: string,
    at: number,
    need: (counter: ModelCounter, room: bigint) => bigint,
    ahead: () => boolean,
  ): Promise<void> => {
    const asked = limits.map((_, index) => {
      const next = ahead();
      const counter = model.counterAt(index, at, next);
      const room = roomAt(counter, at);
      const wanted = need(counter, room);
      return { counter, room, next, need: wanted, want: wanted + part(wanted), known: counter.leases.get(node)?.granted ?? null };
    });
    const items = asked.map(({ counter, known, next, need: needed, want }, index): AskedItem => {
      const named = known === null ? {} : { counter: idOf.get(counter) ?? null, known };
      return { limit: ids[index] ?? '', next, need: needed, want, ...named };
    });
    const answers = await functions.ask(node, 1, items, { live: 1 + random.below(4) });
    for (const [index, answer] of answers.entries()) {
      const each = asked[index];
      if (each === undefined) throw new Error('answers nobody asked for');
      const { counter, room, need: needed, want } = each;
      const { kind, amount } = counter.limit;
      const lease = leaseOf(counter, node);
      const hold = (what: string, holds: boolean): void => {
        if (!holds) wrong.push({ what, ...counter.limit, at: new Date(at).toISOString(), needed, room, answer });
      };
      hold('granted where it fits, and only there', answer.outcome === (needed <= room ? 'granted' : 'short'));
      hold(
        'counted in its window',
        answer.starts_at?.getTime() === counter.window?.starts && answer.ends_at?.getTime() === counter.window?.ends,
      );
      if (answer.counter_id !== null) idOf.set(counter, answer.counter_id);
      const added = answer.granted - lease.granted;
      lease.granted = answer.granted;
      if (needed > room) {
        short += 1;
        hold('nothing for who is refused', added === 0n);
        // Not by moments either would it have fitted, but for a sixtieth and the one that is not full yet.
        const within = (): bigint => postedWithin(counter, at, 2) + countedAt(counter, at).held;
        if (kind === 'rolling') hold('refused a sixtieth late at most', within() + needed > amount);
        continue;
      }
      granted += 1;
      hold('what is needed, and no more than is wanted', added >= needed && added <= larger(want, needed));
      hold('the rest', answer.rest === room - added);
      if (kind === 'rolling' && added > 0n) hold('within any window', postedWithin(counter, at, 0) + countedAt(counter, at).held <= amount);
    }
    expect(wrong).toEqual([]);
  };

  /** Who names a window that is over is told so, from the very moment of its end on. */
  const askOver = async (node: string, at: number): Promise<void> => {
    const over = new Map<number, ModelCounter>();
    for (const { index, counter } of model.all()) {
      if (counter.window !== null && counter.window.ends <= at && counter.leases.has(node)) over.set(index, counter);
    }
    const items = [...over].map(([index, counter]) => {
      return { limit: ids[index] ?? '', counter: idOf.get(counter) ?? null, known: counter.leases.get(node)?.granted ?? 0n, need: 0n };
    });
    const answers = items.length === 0 ? [] : await functions.ask(node, 1, items);
    expect(answers.filter(({ outcome }) => outcome !== 'gone')).toEqual([]);
  };

  /** Part of what one node holds is spent, sometimes more than it holds; also in windows that are over. Part of the rest goes back. */
  const settleSome = async (node: string, at: number): Promise<void> => {
    const held = model.all().flatMap(({ counter }) => {
      const lease = counter.leases.get(node);
      return lease !== undefined && lease.granted - lease.returned > lease.posted && random.below(3) > 0 ? [{ counter, lease }] : [];
    });
    if (held.length === 0) return;
    const holds = held.map(({ counter, lease }) => {
      const debit = part(lease.granted - lease.returned - lease.posted);
      const excess = random.below(8) === 0 ? part(counter.limit.amount / 4n) : 0n;
      lease.posted += debit;
      counter.posts.push({ at, debit, excess });
      return { counter: idOf.get(counter) ?? '', node, epoch: 1, debit, cost: debit + excess };
    });
    await functions.post(holds);
    const back = held.map(({ counter, lease }) => {
      lease.returned += part(lease.granted - lease.returned - lease.posted);
      return { counter: idOf.get(counter) ?? '', returned: lease.returned };
    });
    await functions.giveBack(node, 1, back);
  };

  const moments = sampleMoments(random, (at) => model.counterAt(random.below(limits.length), at).window?.ends ?? at);
  for (const [turn, at] of moments.entries()) {
    await setClock(at);
    const [first = '', second = ''] = random.below(2) === 0 ? nodes : nodes.toReversed();
    await askAll(
      first,
      at,
      (_, room) => (room > 0n && random.below(5) > 0 ? part(room) : (room > 0n ? room : 0n) + BigInt(random.below(3))),
      () => random.below(9) === 0,
    );
    await askOver(second, at);
    if (turn % 2 === 0) await settleSome(random.below(2) === 0 ? first : second, at);
    if (turn % 3 > 0) continue;
    // All that is left can be had, and then nothing.
    await askAll(
      second,
      at,
      (_, room) => (room > 0n ? room : 1n),
      () => false,
    );
    await askAll(
      first,
      at,
      () => 1n,
      () => false,
    );
  }

  const last = moments.at(-1) ?? 0;
  const states = new Map((await database.writer.db.selectFrom('counter_states').selectAll().execute()).map((state) => [state.id, state]));
  for (const { counter } of model.all()) {
    if (counter.leases.size === 0) continue;
    const state = states.get(idOf.get(counter) ?? '');
    expect(state?.starts_at?.getTime() ?? null).toBe(counter.window?.starts ?? null);
    // A rolling one is as of its last ask.
    if (counter.limit.kind !== 'rolling') expect(state).toMatchObject(countedAt(counter, last));
  }
  expect([granted, short].map((count) => count > 500)).toEqual([true, true]);
  expect(await brokenBooks(database.owner.db)).toEqual([]);
}, 120_000);
