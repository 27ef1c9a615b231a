import type { Duplex } from 'node:stream';
import type { Log } from '../../runtime/log.ts';
import { recordFault } from '../record-codec.ts';
import type { Timers } from '../timers.ts';
import type { Journal } from './journal.ts';
import { createMessageReader, decodeAppend, encodeAccepted, encodeMessage, encodeRejected, helloFault, MESSAGE } from './protocol.ts';

const HELLO_TIMEOUT_MS = 5_000;

/**
 * Serves one producer: its hello first, then one append at a time. Whoever breaks the protocol is disconnected, and knows
 * nothing of the fate of what it sent, as with any broker.
 */
export function serveProducer(options: {
  readonly socket: Duplex;
  readonly journals: readonly Journal[];
  readonly timers: Timers;
  readonly log: Log;
}): void {
  const { socket, journals, log } = options;
  const topics = journals.map((journal) => journal.topic);
  let welcomed = false;
  let busy = false;
  const cancelHello = options.timers.after(HELLO_TIMEOUT_MS, () => end('no hello came'));
  const reader = createMessageReader(onMessage);
  socket.on('data', (chunk: Buffer) => {
    try {
      reader.push(chunk);
    } catch (error) {
      end(error instanceof Error ? error.message : 'unreadable');
    }
  });
  socket.on('error', () => socket.destroy());
  socket.once('close', cancelHello);

  function end(reason: string): void {
    if (!socket.destroyed) log.warn({ reason }, 'a producer broke the protocol and was disconnected');
    socket.destroy();
  }

  function onMessage(type: number, payload: Buffer): void {
    if (socket.destroyed) return;
    if (!welcomed) hello(type, payload);
    else if (type !== MESSAGE.append) end(`message ${type} where an append was due`);
    else if (busy) end('an append while another is in flight');
    else append(payload);
  }

  function hello(type: number, payload: Buffer): void {
    cancelHello();
    const fault = type === MESSAGE.hello ? helloFault(payload, topics) : 'no hello came first';
    if (fault === null) {
      welcomed = true;
      socket.write(encodeMessage(MESSAGE.welcome, Buffer.alloc(0)));
    } else {
      log.error({ fault }, 'a producer does not fit this event log');
      socket.end(encodeMessage(MESSAGE.refused, Buffer.from(fault)));
    }
  }

  function append(payload: Buffer): void {
    const { number, topicIndex, records } = decodeAppend(payload);
    const journal = journals[topicIndex];
    const faults = records.map(({ record }) =>
      journal === undefined ? `no topic ${topicIndex}` : recordFault(record, journal.topic.partitions),
    );
    const fault = faults.find((candidate) => candidate !== null);
    if (journal === undefined || fault) {
      socket.write(encodeRejected(number, false, fault ?? `no topic ${topicIndex}`));
      return;
    }
    const refusal = journal.refusal();
    if (refusal !== null) {
      socket.write(encodeRejected(number, true, refusal));
      return;
    }
    busy = true;
    journal.append(records, () => {
      busy = false;
      if (!socket.destroyed) socket.write(encodeAccepted(number));
    });
  }
}
