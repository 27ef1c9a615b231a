import { expect, test } from 'vitest';
import type { LeaseDatabase } from '../../../../services/proxy/budgets/lease-database.ts';
import type { LeaseRefusal } from '../../../../services/proxy/budgets/lease-node.ts';
import { createLeaseNode } from '../../../../services/proxy/budgets/lease-node.ts';
import type { OpenHolds } from '../../../../services/proxy/budgets/open-holds.ts';
import { recordingLog } from '../../../harness/recording-log.ts';

type World = ReturnType<typeof world>;

/** A node whose time and database are the test's. */
function world() {
  let at = 0;
  let timers: { readonly at: number; readonly run: () => void }[] = [];
  const calls = { ask: 0, giveBack: 0, tellOpen: 0, beat: 0, register: 0, report: 0, close: 0, claimed: 0 };
  const exits: string[] = [];
  const closed: string[] = [];
  const told: OpenHolds['counters'][] = [];
  const hanging: (() => void)[] = [];
  const answers = { away: false, hang: false, copied: false, hangBeats: false, spare: 0n, endsAt: null as number | null };
  const call = <Result>(name: keyof typeof calls, answer: () => Result): Promise<Result> => {
    calls[name] += 1;
    if (answers.away) return Promise.reject(new Error('away'));
    if (answers.hang) return new Promise((_, reject) => hanging.push(() => reject(new Error('timeout'))));
    return Promise.resolve(answer());
  };
  let answerBeat: () => void = () => {};
  const callBeat = <Result>(answer: () => Result): Promise<Result> =>
    answers.hangBeats
      ? new Promise((resolve) => {
          answerBeat = () => resolve(answer());
        })
      : call('beat', answer);
  const database: LeaseDatabase = {
    register: () => call('register', () => ({ status: 'registered', generation: 1, reconciling: false, waitMs: 0 })),
    beat: ({ nonce, beat }) =>
      callBeat(() => ({
        status: answers.copied ? ('copied' as const) : ('taken' as const),
        nonce,
        beat: beat + 1,
        generation: 1,
        reconciling: false,
        live: 1,
        leases: [],
      })),
    ask: ({ items }) =>
      call('ask', () => ({
        status: 'answered' as const,
        generation: 1,
        items: items.map(({ limit, group, need, known, counter, next }) => ({
          limit,
          group,
          counter: counter ?? (next ? `${limit}, next window` : limit),
          outcome: 'granted' as const,
          granted: known + need + answers.spare,
          version: 1,
          unsettled: 0n,
          stuck: 0n,
          endsInMs: answers.endsAt === null || next || counter?.endsWith('next window') === true ? null : answers.endsAt - at,
          opensInMs: 0,
          place: null,
          amount: 100n,
          rest: 0n,
        })),
      })),
    giveBack: ({ items }) =>
      call('giveBack', () => ({
        generation: 1,
        reconciling: false,
        items: items.map(({ counter, returned }) => ({ counter, outcome: 'returned' as const, returned })),
      })),
    tellOpen: (_epoch, { counters }) => call('tellOpen', () => void told.push(counters)),
    close: (_epoch, finals) => call('close', () => finals.map(({ counter }) => counter)),
    report: () => call('report', () => ({ status: 'settled', generation: 1 })),
  };
  const node = createLeaseNode({
    node: 'n',
    epoch: 1,
    incarnation: 'i',
    finals: () => [],
    torn: () => [],
    closed: () => [],
    onClosed: (counters) => closed.push(...counters),
    moved: false,
    leaseWaitMs: 250,
    database,
    now: () => at,
    timers: {
      endOfTurn: (run) => queueMicrotask(run),
      after: (delayMs, run) => {
        const timer = { at: at + delayMs, run };
        timers.push(timer);
        return () => {
          timers = timers.filter((each) => each !== timer);
        };
      },
    },
    newNonce: () => `nonce ${at}`,
    claimNextEpoch: async () => {
      calls.claimed += 1;
      return 2;
    },
    log: recordingLog(),
    onExit: (cause) => exits.push(cause),
  });
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  const pass = async (ms: number): Promise<void> => {
    const end = at + ms;
    for (;;) {
      const next = timers.filter((timer) => timer.at <= end).sort((one, other) => one.at - other.at)[0];
      if (next === undefined) break;
      timers = timers.filter((timer) => timer !== next);
      at = Math.max(at, next.at);
      next.run();
      await settle();
    }
    at = end;
    await settle();
  };
  const failHanging = (): void => {
    for (const fail of hanging.splice(0)) fail();
  };
  return { node, calls, answers, exits, closed, told, pass, failHanging, answerBeat: () => answerBeat(), pending: () => timers.length };
}

const begun = async (): Promise<World> => {
  const made = world();
  void made.node.begin(0);
  await made.pass(0);
  return made;
};

/** @returns what became of it: the counters, the refusal, or null as long as it waits. */
function take({ node }: World, request: string, limit = 'limit', amount = 1n) {
  const told: { counters: readonly string[] | null; refusal: LeaseRefusal | null }[] = [];
  node.take(request, [{ limit, group: '', amount }], (holds, refusal) =>
    told.push({ counters: holds?.map(({ counter }) => counter) ?? null, refusal }),
  );
  return () => told[0]?.counters ?? told[0]?.refusal?.code ?? null;
}

test('nothing is taken before the database has answered, which is asked again and again', async () => {
  const made = world();
  made.answers.away = true;
  void made.node.begin(0);
  await made.pass(1_000);
  expect(take(made, 'early')()).toBe('accounting_unavailable');
  expect(made.node.trouble()).toMatch('not registered');
  expect(made.calls.register).toBeGreaterThan(2);
  made.answers.away = false;
  await made.pass(2_000);
  expect(made.node.trouble()).toBeNull();
  const late = take(made, 'late');
  await made.pass(0);
  expect(late()).toEqual(['limit']);
});

test('asks ahead take their turn: who needs an answer waits for it and is not refused', async () => {
  const made = await begun();
  made.answers.spare = 12n;
  for (let limit = 0; limit < 40; limit++) take(made, `first ${limit}`, `limit ${limit}`, 10n);
  await made.pass(0);
  const asked = made.calls.ask;
  made.answers.hang = true;
  const second = Array.from({ length: 40 }, (_, limit) => take(made, `second ${limit}`, `limit ${limit}`, 10n));
  await made.pass(0);
  expect(second.filter((told) => Array.isArray(told())).length).toBe(32);
  expect(made.calls.ask - asked).toBeGreaterThan(8);
  const waits = [take(made, 'waits', 'another limit'), take(made, 'too', 'limit 31', 10n)];
  await made.pass(0);
  expect(waits.map((told) => told())).toEqual([null, null]);
});

test('asks ahead that were put off when the database went away keep nobody from asking once it is back', async () => {
  const made = await begun();
  made.answers.spare = 12n;
  for (let limit = 0; limit < 30; limit++) take(made, `first ${limit}`, `limit ${limit}`, 10n);
  await made.pass(0);
  made.answers.hang = true;
  for (let limit = 0; limit < 30; limit++) take(made, `second ${limit}`, `limit ${limit}`, 10n);
  await made.pass(0);
  made.failHanging();
  await made.pass(0);
  made.answers.hang = false;
  made.answers.spare = 0n;
  await made.pass(2_000);
  const third = Array.from({ length: 30 }, (_, limit) => take(made, `third ${limit}`, `limit ${limit}`, 10n));
  await made.pass(250);
  expect(third.map((told) => told())).toEqual(third.map((_, limit) => [`limit ${limit}`]));
});

test('what is held for requests in flight is told behind each beat, and not again once there is nothing', async () => {
  const made = await begun();
  await made.pass(3_000);
  // Once, so that what the boot before told is taken back.
  expect(made.told).toEqual([[]]);
  take(made, 'request', 'limit', 2n);
  await made.pass(2_000);
  const held = [{ counter: 'limit', holds: 1, amount: 2n }];
  expect(made.told).toEqual([[], held, held]);
  made.node.settle('request', new Map([['limit', 1n]]));
  await made.pass(3_000);
  expect(made.told).toEqual([[], held, held, []]);
  made.answers.hang = true;
  take(made, 'other');
  await made.pass(3_000);
  expect(made.calls.tellOpen).toBe(4);
});

test('a database that does not answer costs a request the wait for it, and beyond 32 asks nobody waits', async () => {
  const made = await begun();
  made.answers.hang = true;
  const waiting = Array.from({ length: 40 }, (_, index) => take(made, `request ${index}`, `limit ${index}`));
  await made.pass(0);
  expect(made.calls.ask).toBe(32);
  expect(waiting.map((each) => each()).filter((each) => each === 'accounting_unavailable')).toHaveLength(8);
  await made.pass(250);
  expect(waiting.every((each) => each() === 'accounting_unavailable')).toBe(true);
});

test('while the database is away it is asked now and then, not for every request', async () => {
  const made = await begun();
  made.answers.away = true;
  for (let count = 0; count < 1_000; count++) {
    const refused = take(made, `request ${count}`);
    await made.pass(1);
    expect(refused()).toBe('accounting_unavailable');
  }
  expect(made.calls.ask).toBeLessThan(10);
});

test('a proxy that nobody asks any more gives back what is free, once, and asks for nothing', async () => {
  const made = await begun();
  const used = take(made, 'request', 'limit', 50n);
  await made.pass(0);
  expect(used()).toEqual(['limit']);
  const { settlement } = made.node.settle('request', new Map([['limit', 30n]]));
  made.node.synced(settlement);
  await made.pass(11_000);
  const { ask, giveBack } = made.calls;
  expect(giveBack).toBeGreaterThan(0);
  await made.pass(60_000);
  expect([made.calls.ask, made.calls.giveBack]).toEqual([ask, giveBack]);
});

test('a proxy that the database does not hear of for 240 s refuses, though it has room', async () => {
  const made = await begun();
  const first = take(made, 'first', 'limit', 50n);
  await made.pass(0);
  expect(first()).toEqual(['limit']);
  made.node.settle('first', new Map([['limit', 1n]]));
  made.node.synced(1);
  made.answers.away = true;
  // Used all the time, or it would be given back.
  for (let seconds = 5; seconds < 240; seconds += 5) {
    await made.pass(5_000);
    expect(take(made, `after ${seconds}`)()).toEqual(['limit']);
    const { settlement } = made.node.settle(`after ${seconds}`, new Map([['limit', 0n]]));
    made.node.synced(settlement);
  }
  await made.pass(5_000);
  expect(take(made, 'last')()).toBe('accounting_unavailable');
  expect(made.node.trouble()).toMatch('240 s');
});

test('another owner of the spool ends the process', async () => {
  const made = await begun();
  made.answers.copied = true;
  await made.pass(1_000);
  expect(made.exits).toEqual(['copied']);
  expect(take(made, 'after')()).toBe('accounting_unavailable');
});

test('a stop refuses who waits, gives back what is free, closes the leases and leaves no timer behind', async () => {
  const made = await begun();
  made.answers.spare = 5n;
  const served = take(made, 'served', 'one');
  await made.pass(0);
  expect(served()).toEqual(['one']);
  made.answers.hang = true;
  const waiting = take(made, 'waiting', 'two');
  await made.pass(0);
  made.answers.hang = false;
  const stopped = made.node.stop(5_000);
  await made.pass(0);
  expect(waiting()).toBe('accounting_unavailable');
  // The call is still under way, so its lease is not closed.
  expect([made.calls.claimed, made.calls.register]).toEqual([1, 1]);
  made.node.settle('served', new Map([['one', 0n]]));
  made.node.synced(1);
  await made.pass(100);
  await stopped;
  expect([made.calls.register, made.calls.giveBack, made.pending()]).toEqual([2, 1, 0]);
});

test('a beat that arrives after the stop has named a younger epoch is not taken for that of another owner', async () => {
  const made = await begun();
  made.answers.hangBeats = true;
  await made.pass(1_000);
  made.answers.copied = true;
  const stopped = made.node.stop(500);
  await made.pass(0);
  made.answerBeat();
  await made.pass(500);
  await stopped;
  expect([made.exits, made.calls.register]).toEqual([[], 2]);
});

test('a stop does not wait for the database beyond its deadline', async () => {
  const made = await begun();
  made.answers.away = true;
  const stopped = made.node.stop(500);
  await made.pass(0);
  await made.pass(500);
  await stopped;
  expect(made.pending()).toBe(0);
});

test('a lease whose window is over is closed at what was spent and forgotten, once nothing of it is open', async () => {
  const made = await begun();
  made.answers.endsAt = 1_500;
  const served = take(made, 'served', 'one', 5n);
  await made.pass(0);
  expect(served()).toEqual(['one']);
  await made.pass(3_000);
  expect([made.calls.close, made.closed]).toEqual([0, []]);
  made.node.settle('served', new Map([['one', 3n]]));
  await made.pass(3_000);
  expect(made.closed).toEqual([]);
  made.node.synced(1);
  await made.pass(2_000);
  expect([made.calls.close, made.closed]).toEqual([1, ['one']]);
  const next = take(made, 'next', 'one', 1n);
  await made.pass(0);
  expect(next()).not.toContain('one');
});
