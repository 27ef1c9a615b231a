import type { Duplex } from 'node:stream';
import { REQUESTS_TOPIC } from '../../../schema/events/topics.ts';
import { createEmbeddedConsumer } from '../../../services/eventlog/embedded/consumer.ts';
import { openJournal } from '../../../services/eventlog/embedded/journal.ts';
import { serveProducer } from '../../../services/eventlog/embedded/producer-connection.ts';
import type { EmbeddedLogServer } from '../../../services/eventlog/embedded/server.ts';
import type { EventLogConsumer } from '../../../services/eventlog/event-log.ts';
import type { Log } from '../../../services/runtime/log.ts';
import { createLivingDisk } from '../faults/living-disk.ts';
import type { Life } from '../life.ts';
import type { Machine } from '../machine.ts';

const DIRECTORY = '/log';

/** The real embedded event log in a ledger's process, without the socket it listens on. */
export interface ServedLog {
  readonly consumer: EventLogConsumer;
  release(partition: number, nextOffset: bigint): void;
  /** A producer connects. */
  accept(socket: Duplex): void;
  /** Offset after the newest durable record. */
  next(partition: number): bigint;
  close(): Promise<void>;
}

/** @throws what the product throws when its folder is in use or its disk fails. */
export async function serveEmbeddedLog(options: {
  readonly life: Life;
  readonly machine: Machine;
  readonly log: Log;
  readonly segmentBytes: number;
  readonly maxBytes: number;
}): Promise<ServedLog> {
  const { life, machine, log } = options;
  const { timers } = life;
  const lock = await machine.lock(life)(DIRECTORY);
  const journal = await openJournal({
    topic: REQUESTS_TOPIC,
    directory: `${DIRECTORY}/${REQUESTS_TOPIC.name}`,
    disk: createLivingDisk(machine.disk, life),
    clock: life.clock,
    timers,
    random: life.random,
    log,
    maxBytes: options.maxBytes,
    retentionBytes: 4 * options.segmentBytes,
    retentionMs: 3_600_000,
    segmentBytes: options.segmentBytes,
  });
  const server: EmbeddedLogServer = {
    journal: () => journal,
    release: (_topic, partition, offset) => journal.release(partition, offset),
    close: (deadlineMs) => journal.close(deadlineMs),
  };
  const consumer = createEmbeddedConsumer({ server, timers });
  return {
    consumer,
    release: (partition, nextOffset) => journal.release(partition, nextOffset),
    accept: (socket) => serveProducer({ socket, journals: [journal], timers, log }),
    next: (partition) => journal.offsets(partition).next,
    close: async () => {
      await consumer.close();
      await journal.close(5_000);
      await lock.release();
    },
  };
}
