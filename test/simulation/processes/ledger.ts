import { Registry } from 'prom-client';
import { REQUESTS_TOPIC } from '../../../schema/events/topics.ts';
import type { EventLogConsumer } from '../../../services/eventlog/event-log.ts';
import { startConsumer } from '../../../services/ledger/consume.ts';
import { createLedgerMetrics } from '../../../services/ledger/ledger-metrics.ts';
import { createPoster } from '../../../services/ledger/poster.ts';
import { refuseChangedPartitions } from '../../../services/ledger/refuse-changed-partitions.ts';
import { startSequencer } from '../../../services/ledger/sequencer.ts';
import type { LedgerStore } from '../../../services/ledger/store/ledger-store.ts';
import type { SequencerStore } from '../../../services/ledger/store/sequencer-store.ts';
import type { Log } from '../../../services/runtime/log.ts';
import type { Life } from '../life.ts';

/** What a ledger reads from. */
export interface LedgerLog {
  readonly consumer: EventLogConsumer;
  release(partition: number, nextOffset: bigint): void;
  close(): Promise<void>;
}

export interface Ledger {
  stop(): Promise<void>;
}

const GRACE_MS = 5_000;

/** A ledger process as its `main.ts` composes it, less HTTP and housekeeping. @throws what the product throws when it cannot start. */
export async function startLedger(options: {
  readonly life: Life;
  readonly eventLog: LedgerLog;
  readonly store: LedgerStore;
  readonly sequencerStore: SequencerStore;
  readonly log: Log;
}): Promise<Ledger> {
  const { life, eventLog, store, log } = options;
  const { clock, timers, random } = life;
  const metrics = createLedgerMetrics(new Registry());
  const topic = REQUESTS_TOPIC;
  const sequencer = startSequencer({ store: options.sequencerStore, clock, timers, log, metrics });
  const poster = createPoster({ store, topic: topic.name, clock, timers, random, log, metrics, onPosted: sequencer.wake });
  await refuseChangedPartitions(store, topic);
  const consumer = await startConsumer({
    store,
    eventLog: eventLog.consumer,
    topic,
    group: 'turnpike-ledger',
    owner: life.name,
    poster,
    clock,
    timers,
    log,
    metrics,
    onConsumed: eventLog.release,
  });
  return {
    stop: async () => {
      await consumer.stop(GRACE_MS);
      await sequencer.stop();
      await eventLog.close();
    },
  };
}
