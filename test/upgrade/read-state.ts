import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogRecord, StoredRecord } from '../../schema/events/log-record.ts';
import { REQUESTS_TOPIC } from '../../schema/events/topics.ts';
import { createEmbeddedLogServer } from '../../services/eventlog/embedded/server.ts';
import { socketPath } from '../../services/eventlog/socket-path.ts';
import { openSpool } from '../../services/eventlog/spool/open-spool.ts';
import { eventually } from '../harness/eventually.ts';
import { recordingLog } from '../harness/recording-log.ts';

/** What a process finds that opens a copy of this spool: the requests left open, and, in order, what it sends to the event log. */
export async function readSpoolFolder(directory: string) {
  return onCopy(directory, async (copy) => {
    const unsent: LogRecord[] = [];
    const spool = await openSpool({
      directory: copy,
      durability: 'group',
      log: recordingLog(),
      sender: {
        topic: REQUESTS_TOPIC,
        producer: {
          // Read field by field: what comes may be a record still in its stored bytes.
          append: async (_topic, records) => {
            unsent.push(...records.map(({ key, partition, headers, value }) => ({ key, partition, headers, value })));
          },
          close: async () => {},
        },
      },
    });
    const { orphans } = spool;
    const { epoch, open } = spool.state();
    await eventually(() => spool.state().unsent === 0);
    await spool.stop(1_000);
    return { orphans, unsent, epoch, open };
  });
}

/** Every record that a process finds that opens a copy of this embedded log, by partition and offset. */
export async function readLogFolder(directory: string): Promise<readonly StoredRecord[]> {
  return onCopy(directory, async (copy) => {
    const server = await createEmbeddedLogServer({
      directory: copy,
      socketPath: socketPath(copy, 'log.sock'),
      topics: [REQUESTS_TOPIC],
      log: recordingLog(),
    });
    try {
      const journal = server.journal(REQUESTS_TOPIC);
      const records: StoredRecord[] = [];
      for (let partition = 0; partition < REQUESTS_TOPIC.partitions; partition += 1) {
        const { earliest, next } = journal.offsets(partition);
        for (let offset = earliest; offset < next; ) {
          const run = await journal.read(partition, offset, 10, 1_000_000);
          records.push(...run.map((record) => ({ ...plain(record), offset: record.offset })));
          offset = (run.at(-1)?.offset ?? next) + 1n;
        }
      }
      return records;
    } finally {
      await server.close(1_000);
    }
  });
}

const plain = ({ key, partition, headers, value }: LogRecord): LogRecord => ({ key, partition, headers: { ...headers }, value });

async function onCopy<Result>(directory: string, read: (copy: string) => Promise<Result>): Promise<Result> {
  const copy = await mkdtemp(join(tmpdir(), 'tp-upgrade-'));
  try {
    await cp(directory, copy, { recursive: true });
    return await read(copy);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}
