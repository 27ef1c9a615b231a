import { createConnection } from 'node:net';
import type { Duplex } from 'node:stream';
import type { LogRecord } from '../../../schema/events/log-record.ts';
import type { Topic } from '../../../schema/events/topics.ts';
import type { EventLogProducer } from '../event-log.ts';
import { EventLogError } from '../event-log.ts';
import { recordFault } from '../record-codec.ts';
import type { Timers } from '../timers.ts';
import { systemTimers } from '../timers.ts';
import { createMessageReader, encodeAppend, encodeHello, MAX_MESSAGE_BYTES, MESSAGE } from './protocol.ts';

export interface EmbeddedProducerOptions {
  /** Where the server listens. @see socketPath */
  readonly socketPath: string;
  /** The topics the server must have, in its order. */
  readonly topics: readonly Topic[];
  /** Longest wait for a connection and its welcome. Default 3 s. */
  readonly connectTimeoutMs?: number;
  /** Longest wait for an acknowledgement; after it nothing is known of the batch. Default 15 s. */
  readonly acknowledgeTimeoutMs?: number;
  readonly timers?: Timers;
  /** The network, as a seam. */
  readonly connect?: (socketPath: string) => Duplex;
}

type Waiting = { readonly resolve: () => void; readonly reject: (error: EventLogError) => void; readonly cancel: () => void };

/**
 * A producer of the embedded log, in any process. It connects when there is something to append and again after a loss; whatever
 * may have changed by the next try (server away, restarting, full, of another version) is retryable.
 */
export function createEmbeddedProducer(options: EmbeddedProducerOptions): EventLogProducer {
  const timers = options.timers ?? systemTimers;
  const connect = options.connect ?? ((path: string): Duplex => createConnection(path));
  let socket: Duplex | null = null;
  let waiting: Waiting | null = null;
  let number = 0;
  let closed = false;

  /** Waits for one answer of the server; a lost connection or a silent server is retryable. */
  function answer(timeoutMs: number, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = timers.after(timeoutMs, () => drop(`no ${what} within ${timeoutMs} ms`));
      waiting = { resolve, reject, cancel };
    });
  }

  function settle(error: EventLogError | null): void {
    const settled = waiting;
    waiting = null;
    settled?.cancel();
    if (error === null) settled?.resolve();
    else settled?.reject(error);
  }

  function drop(reason: string, cause?: unknown): void {
    socket?.destroy();
    socket = null;
    settle(new EventLogError(`The embedded event log: ${reason}`, { retryable: true, cause }));
  }

  function onMessage(type: number, payload: Buffer): void {
    if (type === MESSAGE.welcome) settle(null);
    else if (type === MESSAGE.refused) drop(`it refused this producer: ${payload.toString()}`);
    else if (type === MESSAGE.accepted && payload.length === 4 && payload.readUInt32LE(0) === number) settle(null);
    else if (type === MESSAGE.rejected && payload.length >= 5 && payload.readUInt32LE(0) === number) {
      settle(new EventLogError(`The embedded event log: ${payload.toString('utf8', 5)}`, { retryable: payload[4] === 1 }));
    } else drop(`message ${type} was not expected`);
  }

  function open(): Promise<void> {
    const opening = connect(options.socketPath);
    const reader = createMessageReader(onMessage);
    socket = opening;
    const lost = (reason: string, cause?: unknown): void => {
      if (socket === opening) drop(reason, cause);
    };
    opening.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        lost('it sent what is no message', error);
      }
    });
    opening.once('error', (error) => lost('the connection failed', error));
    opening.once('close', () => lost('the connection was closed'));
    const welcome = answer(options.connectTimeoutMs ?? 3_000, 'welcome');
    opening.write(encodeHello(options.topics));
    return welcome;
  }

  return {
    async append(topic: Topic, records: readonly LogRecord[]) {
      if (closed) throw new EventLogError('The producer is closed', { retryable: false });
      if (waiting !== null) throw new EventLogError('Another append is in flight', { retryable: true });
      const topicIndex = options.topics.findIndex(({ name }) => name === topic.name);
      const fault =
        topicIndex === -1
          ? `no topic ${topic.name}`
          : records.map((record) => recordFault(record, topic.partitions)).find((found) => found !== null);
      if (fault) throw new EventLogError(fault, { retryable: false });
      const message = encodeAppend((number + 1) >>> 0, topicIndex, records);
      if (message.length > MAX_MESSAGE_BYTES) throw new EventLogError(`A batch of ${message.length} bytes`, { retryable: false });
      if (socket === null) await open();
      number = (number + 1) >>> 0;
      const acknowledgement = answer(options.acknowledgeTimeoutMs ?? 15_000, 'acknowledgement');
      socket?.write(message);
      await acknowledgement;
    },
    async close() {
      closed = true;
      drop('the producer was closed');
    },
  };
}
