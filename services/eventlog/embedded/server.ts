import { unlink } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Topic } from '../../../schema/events/topics.ts';
import type { Clock } from '../../runtime/clock.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import { systemRandom } from '../../runtime/random.ts';
import type { Disk } from '../disk.ts';
import { machineDisk } from '../disk.ts';
import type { FolderLock } from '../folder-lock.ts';
import { lockFolder } from '../folder-lock.ts';
import { makeSocketDirectory } from '../socket-path.ts';
import type { Timers } from '../timers.ts';
import { systemTimers } from '../timers.ts';
import type { Journal } from './journal.ts';
import { openJournal } from './journal.ts';
import { serveProducer } from './producer-connection.ts';

export interface EmbeddedLogServerOptions {
  /** The log's own folder; made when missing. */
  readonly directory: string;
  /** Where producers connect. @see socketPath */
  readonly socketPath: string;
  readonly topics: readonly Topic[];
  readonly log: Log;
  /** Default 2 GiB; at it appends are refused as retryable. */
  readonly maxBytes?: number;
  /** Consumed records are kept up to this size (default 256 MiB) and age (default 7 days). */
  readonly retentionBytes?: number;
  readonly retentionMs?: number;
  /** Default 16 MiB. */
  readonly segmentBytes?: number;
  readonly disk?: Disk;
  readonly clock?: Clock;
  readonly timers?: Timers;
  readonly random?: Random;
  readonly lock?: (directory: string) => Promise<FolderLock>;
}

/** The embedded event log, in the one process that writes it. */
export interface EmbeddedLogServer {
  /** @throws when the log has no such topic. */
  journal(topic: Topic): Journal;
  /** Says that the ledger has posted everything below this offset; only then may those records go. */
  release(topic: Topic, partition: number, offset: bigint): void;
  /** Ends connections, waits up to `deadlineMs` for what was taken to be durable, and closes. */
  close(deadlineMs: number): Promise<void>;
}

const MAX_CONNECTIONS = 256;
const DEFAULTS = {
  maxBytes: 2 * 1024 ** 3,
  retentionBytes: 256 * 1024 ** 2,
  retentionMs: 7 * 24 * 3_600_000,
  segmentBytes: 16 * 1024 ** 2,
};

/**
 * Opens the embedded log and listens for producers. Appends are acknowledged after the sync that covers them; those that arrive
 * while one runs share the next.
 * @throws {FolderInUseError} when another process serves this folder; when the number of a topic's partitions has changed.
 */
export async function createEmbeddedLogServer(options: EmbeddedLogServerOptions): Promise<EmbeddedLogServer> {
  const { directory, topics, log } = options;
  const lock = await (options.lock ?? lockFolder)(directory);
  const timers = options.timers ?? systemTimers;
  const journals: Journal[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serveProducer({ socket, journals, timers, log });
  });
  server.maxConnections = MAX_CONNECTIONS;

  try {
    for (const topic of topics) {
      journals.push(
        await openJournal({
          ...DEFAULTS,
          disk: machineDisk,
          clock: systemClock,
          random: systemRandom,
          ...options,
          timers,
          topic,
          directory: join(directory, topic.name),
        }),
      );
    }
    await makeSocketDirectory(options.socketPath);
    // The folder is ours, so whoever listened here before is dead.
    await unlink(options.socketPath).catch(() => {});
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.socketPath, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    for (const journal of journals) await journal.close(0);
    await lock.release();
    throw error;
  }
  server.on('error', (error) => log.error({ error }, 'the event log cannot take connections'));

  function journalOf(topic: Topic): Journal {
    const journal = journals.find((candidate) => candidate.topic.name === topic.name);
    if (journal === undefined) throw new Error(`The event log has no topic ${topic.name}`);
    return journal;
  }

  return {
    journal: journalOf,
    release: (topic, partition, offset) => journalOf(topic).release(partition, offset),
    async close(deadlineMs) {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      for (const socket of sockets) socket.destroy();
      await closed;
      for (const journal of journals) await journal.close(deadlineMs);
      await lock.release();
    },
  };
}
