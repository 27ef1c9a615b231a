import { beforeEach, expect, test } from 'vitest';
import { isRetryable } from '../../../services/ledger/failures.ts';
import type { VirtualTime } from '../../harness/virtual-time.ts';
import { createVirtualTime } from '../../harness/virtual-time.ts';
import { topicName } from '../../services/ledger/posting.ts';
import { recordsOf } from '../../services/ledger/settled-records.ts';
import { assignTo, postTo } from '../../services/ledger/store/conformance/acts.ts';
import type { Wire } from './session-pool.ts';
import type { SimulatedPostgres } from './simulated-postgres.ts';
import { createSimulatedPostgres } from './simulated-postgres.ts';
import type { SimulatedStores } from './simulated-stores.ts';
import { connectSimulatedStores } from './simulated-stores.ts';
import type { StatementFate, StoreFaults, StoreStatement } from './store-faults.ts';
import { noFaults } from './store-faults.ts';

let time: VirtualTime;
let faults: StoreFaults;
let server: SimulatedPostgres;

beforeEach(() => {
  time = createVirtualTime(Date.UTC(2026, 10, 21));
  faults = noFaults;
  server = createSimulatedPostgres({ ...time, faults: (statement, client) => faults(statement, client) });
});

const connect = (client = 'one', wire?: Wire): SimulatedStores =>
  connectSimulatedStores({ server, client, timers: time.timers, ...(wire === undefined ? {} : { wire }) });

/** The next statement of this kind, and no other, has this fate. */
function once(statement: StoreStatement, fate: Partial<StatementFate>): void {
  let pending = true;
  faults = (asked, client) => {
    if (!pending || asked !== statement) return noFaults(asked, client);
    pending = false;
    return { latencyMs: 0, answerMs: 0, fault: null, ...fate };
  };
}

/** What becomes of a promise, so that it can be looked at before and after time has passed. */
function watch<Result>(promise: Promise<Result>): { value?: Result; error?: unknown } {
  const seen: { value?: Result; error?: unknown } = {};
  promise.then(
    (value) => {
      seen.value = value;
    },
    (error: unknown) => {
      seen.error = error;
    },
  );
  return seen;
}

test('a statement takes the virtual time of its fate, there and back', async () => {
  const { ledgerStore } = connect();
  faults = (statement) => ({ latencyMs: statement === 'take_over' ? 30 : 0, answerMs: statement === 'take_over' ? 20 : 0, fault: null });
  const claim = watch(assignTo(ledgerStore, 'owner'));
  await time.advance(29);
  expect(server.books.offsets.size).toBe(0);
  await time.advance(1);
  expect(server.books.offsets.size).toBe(1);
  expect(claim).toEqual({});
  await time.advance(20);
  expect(claim.value).toEqual({ epoch: 1n, nextOffset: 0n });
});

test.each([
  ['is lost before it arrives did not happen', 'connection_lost', 0],
  ['is not answered happened', 'answer_lost', 5],
] as const)('a commit that %s, and its caller cannot tell', async (_name, fault, entries) => {
  const { ledgerStore } = connect();
  const tenure = await assignTo(ledgerStore, 'owner');
  once('commit', { fault });
  const error: unknown = await postTo(ledgerStore, recordsOf(5), tenure).catch((caught: unknown) => caught);
  expect(isRetryable(error)).toBe(true);
  expect(server.books.entries.size).toBe(entries);
});

test('a commit that is cut happens when its caller has begun anew, who waits for it and finds it done', async () => {
  const { ledgerStore } = connect();
  const tenure = await assignTo(ledgerStore, 'owner');
  const records = recordsOf(5);
  once('commit', { fault: 'cut', latencyMs: 300 });
  await expect(postTo(ledgerStore, records, tenure)).rejects.toThrow('Connection terminated');
  const again = watch(postTo(ledgerStore, records, tenure));
  await time.advance(299);
  expect(server.books.entries.size).toBe(0);
  expect(again).toEqual({});
  await time.advance(1);
  expect(server.books.entries.size).toBe(5);
  expect(again.value).toMatchObject({ posted: [], duplicates: 0, alreadyDone: 5 });
});

test.each(['lock_offsets', 'insert_entries', 'add_rollups', 'advance_offsets', 'commit'] as const)(
  'a serialization failure at %s leaves nothing, may be tried again, and the connection lives',
  async (statement) => {
    const { ledgerStore } = connect();
    const tenure = await assignTo(ledgerStore, 'owner');
    const records = recordsOf(5);
    once(statement, { fault: 'serialization_failure' });
    const error: unknown = await postTo(ledgerStore, records, tenure).catch((caught: unknown) => caught);
    expect(isRetryable(error)).toBe(true);
    expect(server.books.entries.size).toBe(0);
    faults = (asked, client) => {
      expect(asked).not.toBe('connect');
      return noFaults(asked, client);
    };
    await postTo(ledgerStore, records, tenure);
    expect(server.books.entries.size).toBe(5);
  },
);

test('a stop ends every transaction and refuses connections; what was committed is there after the start, under the same epoch', async () => {
  const { ledgerStore, journalFeed } = connect();
  const tenure = await assignTo(ledgerStore, 'owner');
  await postTo(ledgerStore, recordsOf(5), tenure);
  const { epoch } = server;
  const late = recordsOf(5, {}, { from: 5n });
  await expect(postTo(ledgerStore, late, { ...tenure, beforeCommit: () => server.stop() })).rejects.toThrow('Connection terminated');
  await expect(journalFeed.epoch(new AbortController().signal)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  server.start();
  expect(server.books.entries.size).toBe(5);
  await expect(journalFeed.epoch(new AbortController().signal)).resolves.toBe(epoch);
  await expect(postTo(ledgerStore, late, tenure)).resolves.toMatchObject({ alreadyDone: 0 });
});

test('a failover loses nothing that was committed and begins an epoch', async () => {
  const { ledgerStore } = connect();
  await postTo(ledgerStore, recordsOf(5), await assignTo(ledgerStore, 'owner'));
  const { epoch } = server;
  server.failOver();
  server.start();
  expect(server.books.entries.size).toBe(5);
  expect(server.epoch).not.toBe(epoch);
  await expect(assignTo(ledgerStore, 'owner')).resolves.toEqual({ epoch: 2n, nextOffset: 5n });
});

test('whoever waits for a lock gives up after 10 s; whoever holds it and stands still is ended after 15 s', async () => {
  const [frozen, other] = [connect('frozen').ledgerStore, connect('other').ledgerStore];
  const tenure = await assignTo(frozen, 'frozen');
  const standstill = new Promise<void>((resolve) => time.timers.after(60_000, resolve));
  const zombie = watch(postTo(frozen, recordsOf(5), { ...tenure, beforeCommit: () => standstill }));
  await time.advance(1_000);
  const first = watch(assignTo(other, 'other'));
  await time.advance(9_999);
  expect(first).toEqual({});
  await time.advance(1);
  expect(first.error).toMatchObject({ code: '57014' });
  expect(isRetryable(first.error)).toBe(true);
  const second = watch(assignTo(other, 'other'));
  await time.advance(3_999);
  expect(second).toEqual({});
  await time.advance(1);
  expect(second.value).toEqual({ epoch: 2n, nextOffset: 0n });
  await time.advance(60_000);
  expect(isRetryable(zombie.error)).toBe(true);
  expect(server.books.entries.size).toBe(0);
});

test('a leader that is silent for 10 s is followed by another', async () => {
  const [silent, other] = [connect('silent').sequencerStore, connect('other').sequencerStore];
  const tries = () => other.session((session) => session.tryToLead());
  await expect(silent.session((session) => session.tryToLead())).resolves.toBe(true);
  await time.advance(9_999);
  await expect(tries()).resolves.toBe(false);
  await time.advance(1);
  await expect(tries()).resolves.toBe(true);
});

test('a lost wake-up is a lost connection, and the listener is told so when it is back', async () => {
  const { journalFeed, sequencerStore } = connect();
  const wakes: boolean[] = [];
  journalFeed.listen((reconnected) => wakes.push(reconnected));
  await time.advance(0);
  once('notify', {});
  const notify = () => sequencerStore.session((session) => session.transaction((trx) => trx.wakeReaders()));
  await notify();
  await time.advance(0);
  expect(wakes).toEqual([true, false]);
  // The first of the two is the statement of the sequencer, the second its delivery.
  let asked = 0;
  faults = (statement, client) =>
    statement === 'notify' && ++asked === 2 ? { latencyMs: 5, answerMs: 0, fault: 'connection_lost' } : noFaults(statement, client);
  await notify();
  await time.advance(5);
  expect(wakes).toEqual([true, false]);
  await time.advance(100);
  expect(wakes).toEqual([true, false, true]);
});

test('a process may die at any call, before it is sent or before its answer is heard: its successor books everything once', async () => {
  const records = recordsOf(8).map((record, index) => (index === 5 ? { ...record, value: Buffer.from('?') } : record));
  const never = new Promise<never>(() => {});
  let died = true;
  let moment = 0;
  while (died) {
    moment += 1;
    server = createSimulatedPostgres({ ...time });
    let moments = 0;
    died = false;
    const passes = (): boolean => {
      moments += 1;
      died ||= moments >= moment;
      return !died;
    };
    const wire: Wire = async (_statement, act) => {
      if (!passes()) return never;
      const answer = await act();
      return passes() ? answer : never;
    };
    const mortal = connect('mortal', wire);
    void (async () => postTo(mortal.ledgerStore, records, await assignTo(mortal.ledgerStore, 'mortal')))();
    await time.advance(0);
    mortal.abandon();
    const { ledgerStore } = connect('successor');
    const tenure = await assignTo(ledgerStore, 'successor');
    await postTo(ledgerStore, records, tenure);

    const { entries, rollups, deadLetters, offsets, waiting } = server.books;
    expect([entries.size, deadLetters.size, waiting.size]).toEqual([7, 1, 7]);
    expect([...rollups.day.values()].reduce((sum, row) => sum + row.requests, 0)).toBe(7);
    expect(offsets.get(`${topicName}/0`)?.nextOffset).toBe(8n);
  }
  // Twice for each of connect, take-over, prices, room, begin, six statements and commit; nobody died in the last round.
  expect(moment).toBe(25);
});
