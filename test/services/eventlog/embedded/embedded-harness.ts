import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REQUESTS_TOPIC } from '../../../../schema/events/topics.ts';
import { createEmbeddedConsumer } from '../../../../services/eventlog/embedded/consumer.ts';
import { createEmbeddedProducer } from '../../../../services/eventlog/embedded/producer.ts';
import { createEmbeddedLogServer } from '../../../../services/eventlog/embedded/server.ts';
import type { EventLogProducer } from '../../../../services/eventlog/event-log.ts';
import { recordingLog } from '../../../harness/recording-log.ts';
import type { CrashableLog, EventLogHarness, RunningLog } from '../conformance.ts';

const child = new URL('./embedded-server-process.ts', import.meta.url).pathname;
const topics = [REQUESTS_TOPIC];

/** The embedded log for the conformance suite: served in the test's process, or in one of its own that can be killed. */
export const embeddedHarness: EventLogHarness = {
  async start() {
    const directory = await mkdtemp(join(tmpdir(), 'tp-'));
    const log = await serveHere(directory);
    return {
      ...log,
      close: async () => {
        await log.close();
        await rm(directory, { recursive: true, force: true });
      },
    };
  },

  async startCrashable(): Promise<CrashableLog> {
    const directory = await mkdtemp(join(tmpdir(), 'tp-'));
    const server = await serveElsewhere(directory);
    return {
      topic: REQUESTS_TOPIC,
      producer: async () => producerOf(directory),
      crash: async () => {
        server.kill('SIGKILL');
        await once(server, 'exit');
      },
      recover: () => serveHere(directory),
      close: async () => {
        server.kill('SIGKILL');
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
};

function producerOf(directory: string): EventLogProducer {
  return createEmbeddedProducer({ socketPath: join(directory, 'log.sock'), topics, connectTimeoutMs: 1_000 });
}

async function serveHere(directory: string): Promise<RunningLog> {
  const log = recordingLog();
  const server = await createEmbeddedLogServer({ directory, socketPath: join(directory, 'log.sock'), topics, log, segmentBytes: 100_000 });
  // One for the process: subscriptions of one group meet in it, as they do in the ledger.
  const consumer = createEmbeddedConsumer({ server, retryDelayMs: 50 });
  return {
    topic: REQUESTS_TOPIC,
    producer: async () => producerOf(directory),
    consumer: async () => ({ ...consumer, close: async () => {} }),
    close: async () => {
      await consumer.close();
      await server.close(1_000);
    },
  };
}

async function serveElsewhere(directory: string): Promise<ChildProcess> {
  const server = spawn(process.execPath, [child, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (server.stdout !== null) await once(server.stdout, 'data');
  return server;
}
