import { createSecretKey } from 'node:crypto';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createDrain } from '../../../services/api/live/drain.ts';
import { createJournalHub } from '../../../services/api/live/journal-hub.ts';
import { createRequestTail } from '../../../services/api/live/request-tail.ts';
import { createStreamCursors } from '../../../services/api/live/stream-cursor.ts';
import { createLedgerMetrics } from '../../../services/ledger/ledger-metrics.ts';
import { createPoster } from '../../../services/ledger/poster.ts';
import { startSequencer } from '../../../services/ledger/sequencer.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { createVirtualTime } from '../../harness/virtual-time.ts';
import { silentLog, topicName } from '../../services/ledger/posting.ts';
import { recordsOf } from '../../services/ledger/settled-records.ts';
import { anOrganization } from '../../services/ledger/store/conformance/acts.ts';
import { createSimulatedPostgres } from './simulated-postgres.ts';
import { connectSimulatedStores } from './simulated-stores.ts';
import type { StoreFault } from './store-faults.ts';

const faultKinds: readonly StoreFault[] = ['connection_lost', 'answer_lost', 'cut', 'serialization_failure'];

test.each([
  ['nothing fails', 1, 0],
  ['one statement in twenty fails', 2, 0.05],
  ['one statement in five fails', 3, 0.2],
])('what is posted is placed and streamed, once and in order, in virtual time, where %s', async (_name, seed, rate) => {
  const time = createVirtualTime(Date.now());
  const random = seededRandom(seed);
  let faulty = true;
  const server = createSimulatedPostgres({
    ...time,
    faults: () => ({
      latencyMs: random.fraction() * 3,
      answerMs: random.fraction(),
      fault: faulty && random.fraction() < rate ? (faultKinds[random.below(faultKinds.length)] ?? null) : null,
    }),
  });
  const common = { ...time, random, log: silentLog, metrics: createLedgerMetrics(new Registry()) };
  const { organizationId, uuid } = anOrganization();
  const [one, other, api] = ['one', 'other', 'api'].map((client) => connectSimulatedStores({ server, client, timers: time.timers }));
  if (one === undefined || other === undefined || api === undefined) throw new Error('no stores');

  const sequencers = [one, other].map(({ sequencerStore }) => startSequencer({ ...common, store: sequencerStore }));
  const wake = (): void => {
    for (const sequencer of sequencers) sequencer.wake();
  };
  const poster = createPoster({ ...common, store: one.ledgerStore, topic: topicName, onPosted: wake });
  const retried = async <Result>(attempt: () => Promise<Result>): Promise<Result> => {
    for (;;) {
      const result = watch(attempt());
      while (!result.done) await time.advance(10);
      if (result.value !== undefined) return result.value;
    }
  };
  const hub = await retried(() => createJournalHub({ ...common, feed: api.journalFeed }));
  const viewer = {
    apiKeyId: '',
    organizationId: uuid,
    name: 'reader',
    permissions: ['request:read' as const],
    expiresAt: null,
    allowedCidrs: null,
  };
  const tail = await retried(() =>
    createRequestTail(
      {
        ...common,
        hub,
        cursors: createStreamCursors(createSecretKey(Buffer.alloc(32, 1))),
        pages: api.journalFeed.of(uuid, new AbortController().signal),
        organizationId: uuid,
        watch: () => ({ current: () => ({ kind: 'known', viewer }), onChange: () => () => {}, release: () => {} }),
        drain: createDrain(),
      },
      { filter: { kind: 'and', parts: [] }, sampleRate: 1, after: null },
    ),
  );
  const streamed: bigint[] = [];
  void (async () => {
    for await (const event of tail) if (event.kind === 'request') streamed.push(event.position);
  })();

  for (let from = 0n; from < 50n; from += 10n) {
    const { epoch } = await retried(() =>
      one.ledgerStore.takeOverPartition({ topic: topicName, partition: 0, owner: 'one', nowMs: time.clock.now() }),
    );
    const posted = watch(poster.post(0, epoch, recordsOf(10, { organizationId }, { from })));
    while (!posted.done) await time.advance(10);
    expect(posted.error).toBeUndefined();
  }
  faulty = false;
  // Ten seconds for what a lost session still holds, and for listeners that come back.
  await time.advance(30_000);

  expect(server.books.entries.size).toBe(50);
  expect(server.books.waiting.size).toBe(0);
  expect(streamed).toEqual(Array.from({ length: 50 }, (_, position) => BigInt(position)));
  await Promise.all([tail.return?.(), hub.stop()]);
});

function watch<Result>(promise: Promise<Result>): { done: boolean; value?: Result; error?: unknown } {
  const seen: { done: boolean; value?: Result; error?: unknown } = { done: false };
  promise.then(
    (value) => Object.assign(seen, { done: true, value }),
    (error: unknown) => Object.assign(seen, { done: true, error }),
  );
  return seen;
}
