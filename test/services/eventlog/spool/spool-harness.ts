import { onTestFinished } from 'vitest';
import type { LogRecord } from '../../../../schema/events/log-record.ts';
import { REQUESTS_TOPIC } from '../../../../schema/events/topics.ts';
import type { EventLogProducer } from '../../../../services/eventlog/event-log.ts';
import type { SpoolOptions } from '../../../../services/eventlog/spool/open-spool.ts';
import { openSpool } from '../../../../services/eventlog/spool/open-spool.ts';
import type { Spool } from '../../../../services/eventlog/spool.ts';
import { eventually } from '../../../harness/eventually.ts';
import { recordingLog } from '../../../harness/recording-log.ts';

export function eventOf(requestId: string, valueBytes = 64, key = 'key_a'): LogRecord {
  return { key, partition: 3, headers: { ce_id: requestId }, value: Buffer.alloc(valueBytes, requestId) };
}

/** An event log in this process that a test can stop and make refuse. */
export interface TestProducer extends EventLogProducer {
  /** Every call, in order, accepted or not. */
  readonly calls: (readonly LogRecord[])[];
  readonly accepted: LogRecord[];
  /** What the next calls do before they are accepted; throws to refuse. */
  beforeAccept: (records: readonly LogRecord[]) => Promise<void> | void;
  readonly mostInFlight: number;
}

function createTestProducer(): TestProducer {
  let inFlight = 0;
  let mostInFlight = 0;
  const producer: TestProducer = {
    calls: [],
    accepted: [],
    beforeAccept: () => {},
    get mostInFlight() {
      return mostInFlight;
    },
    async append(_topic, records) {
      producer.calls.push(records);
      mostInFlight = Math.max(mostInFlight, ++inFlight);
      try {
        await producer.beforeAccept(records);
        // Read field by field: what comes may be a record still in its stored bytes.
        producer.accepted.push(...records.map(({ key, partition, headers, value }) => ({ key, partition, headers, value })));
      } finally {
        inFlight--;
      }
    },
    close: async () => {},
  };
  return producer;
}

export const idsOf = (records: readonly LogRecord[]): (string | undefined)[] => records.map((record) => record.headers.ce_id);

/** A spool that the test's end stops. */
export async function openTestSpool(
  options: Partial<SpoolOptions> & { readonly directory: string },
): Promise<{ readonly spool: Spool; readonly producer: TestProducer; readonly log: ReturnType<typeof recordingLog> }> {
  const producer = createTestProducer();
  const log = recordingLog();
  const spool = await openSpool({ durability: 'group', log, sender: { producer, topic: REQUESTS_TOPIC }, ...options });
  onTestFinished(() => spool.stop(50));
  return { spool, producer, log };
}

/** Settles many, `atOnce` at a time, and lets the event log keep up. */
export async function settleMany(spool: Spool, count: number, atOnce: number, valueBytes: number): Promise<void> {
  for (let first = 0; first < count; first += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, (_, index) => settle(spool, `req_${first + index}`, valueBytes)));
    await eventually(() => spool.state().unsent === 0);
  }
}

/** Opens and closes a request; resolves when the close is stored. */
export async function settle(spool: Spool, requestId: string, valueBytes = 64): Promise<void> {
  await opened(spool, requestId);
  await closed(spool, requestId, valueBytes);
}

export function opened(spool: Spool, requestId: string, draft = `draft of ${requestId}`): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!spool.open(requestId, draft, resolve)) reject(new Error(`${requestId} was refused`));
  });
}

export function closed(spool: Spool, requestId: string, valueBytes = 64): Promise<void> {
  return new Promise((resolve) => {
    spool.close(requestId, eventOf(requestId, valueBytes), resolve);
  });
}
