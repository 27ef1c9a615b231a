import { mendConnection } from './mend-connection.ts';
import { mendRecordDecoder } from './mend-record-decoder.ts';
import { mendRequestQueue } from './mend-request-queue.ts';

let mended = false;

/** Replaces the methods of kafkajs that are at fault, once a process, before any of it is used. Each says what it mends and why. */
export function mendKafkajs(): void {
  if (mended) return;
  mended = true;
  mendRequestQueue();
  mendConnection();
  mendRecordDecoder();
}
