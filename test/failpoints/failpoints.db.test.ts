import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { REQUESTS_TOPIC } from '../../schema/events/topics.ts';
import { embeddedPlaces } from '../../services/eventlog/embedded/places.ts';
import { createEmbeddedProducer } from '../../services/eventlog/embedded/producer.ts';
import type { FailpointName } from '../../services/runtime/failpoints/failpoint-catalogue.ts';
import { FAILPOINTS, isFailpointName } from '../../services/runtime/failpoints/failpoint-catalogue.ts';
import type { Subscriber } from '../chaos/subscriber.ts';
import { startSubscriber } from '../chaos/subscriber.ts';
import { eventually } from '../harness/eventually.ts';
import type { Installation, ProcessName } from './installation.ts';
import { createInstallation } from './installation.ts';
import { settleAccount } from './settle-account.ts';
import { startSteadyTraffic } from './steady-traffic.ts';

/** Requests at once. */
const atOnce = 6;
/** How long a process may take to start and come to the moment of its death. */
const lifeMs = 90_000;
/** How long what was answered may take to be booked once nothing fails any more. */
const patienceMs = 90_000;

/**
 * At which passage a process dies. The first one where it comes once a start or once in a while; else later, so that it comes in
 * the middle of the traffic, and at another moment for each. Null: only Kafka has it (`kafka-failpoints.kafka.test.ts`).
 */
const deathAt: Readonly<Record<FailpointName, number | null>> = {
  'proxy.spool.create': 1,
  'proxy.spool.created': 1,
  'proxy.spool.write': 21,
  'proxy.spool.tear': 34,
  'proxy.spool.wrote': 18,
  'proxy.spool.sync': 13,
  'proxy.spool.synced': 11,
  'proxy.spool.note-sent': 3,
  'proxy.spool.noted-sent': 4,
  'proxy.spool.remove': 1,
  'proxy.spool.removed': 1,
  'proxy.request.open': 17,
  'proxy.request.opened': 23,
  'proxy.upstream.call': 14,
  'proxy.upstream.called': 19,
  'proxy.upstream.head': 22,
  'proxy.upstream.data': 41,
  'proxy.upstream.end': 16,
  'proxy.request.close': 20,
  'proxy.request.closed': 24,
  'proxy.request.answered': 15,
  'proxy.producer.append': 4,
  'proxy.producer.appended': 3,
  'ledger.journal.create': 1,
  'ledger.journal.created': 1,
  'ledger.journal.write': 5,
  'ledger.journal.tear': 4,
  'ledger.journal.wrote': 6,
  'ledger.journal.sync': 5,
  'ledger.journal.synced': 4,
  'ledger.partition.take-over': 3,
  'ledger.partition.taken-over': 5,
  'ledger.batch.fetched': 3,
  'ledger.batch.handled': 2,
  'ledger.books.make-room': 3,
  'ledger.books.begin': 4,
  'ledger.books.locked': 2,
  'ledger.books.entries': 3,
  'ledger.books.subjects': 2,
  'ledger.books.rollups': 4,
  'ledger.books.dead-letters': 1,
  'ledger.books.offsets': 3,
  'ledger.books.committed': 2,
  'ledger.hint.commit': null,
  'ledger.hint.committed': null,
  'ledger.sequencer.led': 1,
  'ledger.sequencer.placed': 2,
  'ledger.sequencer.notified': 2,
  'ledger.sequencer.committed': 3,
  'ledger.redrive.settle': 1,
  'ledger.redrive.settled': 1,
  'api.tail.woken': 3,
  'api.tail.read': 4,
  'api.tail.page': 3,
};
const names = Object.keys(FAILPOINTS).filter(isFailpointName);
const deathsOf = (process: ProcessName): readonly FailpointName[] =>
  names.filter((name) => name.startsWith(`${process}.`) && deathAt[name] !== null);

/** Come to only while a ledger takes what the proxy sends: not while that dies as well. */
const needsLedger: ReadonlySet<FailpointName> = new Set<FailpointName>([
  'proxy.spool.note-sent',
  'proxy.spool.noted-sent',
  'proxy.spool.remove',
  'proxy.spool.removed',
  'proxy.producer.appended',
]);

/** No failpoint stands in the way of these: what they bring about has to be asked for. */
const stimuli: Partial<Readonly<Record<FailpointName, (installation: Installation) => Promise<unknown>>>> = {
  'ledger.books.dead-letters': appendGarbage,
  'ledger.redrive.settle': retryDeadLetters,
  'ledger.redrive.settled': retryDeadLetters,
};
const garbage = Buffer.from('{"this is no event');

test('a process that is killed at any failpoint loses nothing and books nothing twice', { timeout: 600_000 }, async () => {
  await using installation = await createInstallation();
  try {
    // The follower wants to be told of everything, so it comes first.
    await installation.launch('api').ready;
    const follower = await follow(installation);
    const traffic = startSteadyTraffic(installation.endpoints, atOnce);
    await Promise.all([dieAtEach(installation, 'proxy', (name) => !needsLedger.has(name)), dieAtEach(installation, 'ledger', () => true)]);
    await Promise.all([dieAtEach(installation, 'proxy', (name) => needsLedger.has(name)), dieAtEach(installation, 'api', () => true)]);
    // What was under way when a proxy died, reading on for clients that left included.
    const orphans = deathsOf('proxy').length * 3 * atOnce;
    const { requestIds, problems, ...account } = await settleAccount(installation, await traffic.stop(), orphans, patienceMs);
    expect(problems).toEqual([]);
    expect(account.equal).toBeGreaterThan(names.length);
    console.log(`${requestIds.size} entries: ${JSON.stringify(account)}`);

    // A stream that was cut at every one of its failpoints has told each line once.
    await eventually(() => follower.received.length >= requestIds.size, patienceMs);
    await follower.stop();
    expect([follower.complaints, follower.errors()]).toEqual([[], 0]);
    expect(new Set(follower.received.map(({ requestId }) => requestId))).toEqual(requestIds);
    expect(follower.received).toHaveLength(requestIds.size);

    const letters = await installation.database.owner.db.selectFrom('dead_letters').select(['value', 'state']).execute();
    expect(letters.length).toBeGreaterThan(0);
    for (const { value, state } of letters) expect([value, state]).toEqual([garbage, 'open']);
    expect(await installation.stop()).toEqual([0, 0, 0]);
  } catch (error) {
    throw withOutput(error, installation);
  }
});

test('an error at any failpoint that can fail is recovered from without a restart, a loss or an orphan', { timeout: 600_000 }, async () => {
  await using installation = await createInstallation();
  try {
    const failing = names.filter((name) => FAILPOINTS[name].mayFail && deathAt[name] !== null && !atStart.has(name));
    const arm = (process: ProcessName): string =>
      failing
        .filter((name) => name.startsWith(`${process}.`))
        .map((name) => `${name}=error:${codeFor(name)}@${deathAt[name]}`)
        .join(',');
    const processes = (['api', 'ledger', 'proxy'] as const).map((name) => installation.launch(name, arm(name)));
    for (const { ready } of processes) expect(await ready).not.toBeNull();
    const follower = await follow(installation);
    const traffic = startSteadyTraffic(installation.endpoints, atOnce);
    await eventually(async () => {
      const missing = failing.filter((name) => !installation.output().includes(`failpoint ${name}: error`));
      await Promise.all(missing.map((name) => stimuli[name]?.(installation)));
      if (missing.length > 0) throw new Error(`not come to yet: ${missing}`);
      return true;
    }, patienceMs);
    const { requestIds, problems, orphans } = await settleAccount(installation, await traffic.stop(), 0, patienceMs);
    expect(problems).toEqual([]);
    expect(orphans).toBe(0);
    await eventually(() => follower.received.length >= requestIds.size, patienceMs);
    await follower.stop();
    expect(follower.complaints).toEqual([]);
    expect(new Set(follower.received.map(({ requestId }) => requestId))).toEqual(requestIds);
    expect(follower.received).toHaveLength(requestIds.size);
    expect(await installation.stop()).toEqual([0, 0, 0]);
  } catch (error) {
    throw withOutput(error, installation);
  }
});

/** Somebody who is told of every request that is booked, and comes back with the cursor whenever the stream breaks. */
async function follow({ endpoints }: Installation): Promise<Subscriber> {
  const subscriber = startSubscriber({ graphqlUrls: [endpoints.graphqlUrl], adminKey: endpoints.adminKey });
  await subscriber.opened;
  return subscriber;
}

/** Fails at the start, where the process has to refuse rather than recover. */
const atStart: ReadonlySet<FailpointName> = new Set<FailpointName>([
  'proxy.spool.create',
  'proxy.spool.created',
  'ledger.journal.create',
  'ledger.journal.created',
]);

/** What the operating system would say there: of a disk, or of a connection. */
function codeFor(name: FailpointName): string {
  if (name.endsWith('.write')) return 'ENOSPC';
  return name.startsWith('proxy.spool.') || name.startsWith('ledger.journal.') ? 'EIO' : 'ECONNRESET';
}

/** Lets a process die at each of its failpoints that are chosen, one life each, and leaves it alive. */
async function dieAtEach(installation: Installation, process: ProcessName, chosen: (name: FailpointName) => boolean): Promise<void> {
  await installation.kill(process);
  for (const name of deathsOf(process).filter(chosen)) {
    const life = installation.launch(process, `${name}=kill@${deathAt[name]}`);
    const stimulus = setInterval(() => void stimuli[name]?.(installation).catch(() => {}), 500);
    try {
      await eventually(() => life.hasEnded(), lifeMs);
    } catch {
      throw new Error(`${name} was not passed for the ${deathAt[name]}th time within ${lifeMs} ms`);
    } finally {
      clearInterval(stimulus);
    }
    expect([name, await life.ended]).toEqual([name, 'SIGKILL']);
    expect(life.output()).toContain(`failpoint ${name}: kill`);
  }
  expect(await installation.launch(process).ready).not.toBeNull();
}

/** A record that no ledger can read, appended as a proxy's would be. */
async function appendGarbage({ home }: Installation): Promise<void> {
  const producer = createEmbeddedProducer({ socketPath: embeddedPlaces(home).socketPath, topics: [REQUESTS_TOPIC] });
  try {
    await producer.append(REQUESTS_TOPIC, [{ key: 'nobody', partition: 7, headers: {}, value: garbage }]);
  } finally {
    await producer.close();
  }
}

/** As a person's `turnpike deadletters retry` does it. */
async function retryDeadLetters(installation: Installation): Promise<void> {
  const asked = await sql`update dead_letters set state = 'retrying', retry_requested_at = now() where state = 'open'`.execute(
    installation.database.owner.db,
  );
  if (asked.numAffectedRows === 0n) await appendGarbage(installation);
}

/** Where it goes wrong, what the processes said is all there is to go by. */
function withOutput(error: unknown, installation: Installation): Error {
  return new Error(`${error instanceof Error ? error.message : String(error)}\n${installation.output().slice(-20_000)}`, { cause: error });
}
