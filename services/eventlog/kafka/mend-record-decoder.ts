import { createRequire } from 'node:module';
import { type BatchContext, FetchedMessage } from './fetched-message.ts';

/**
 * Replaces the record decoder of kafkajs 2.2.4, which decodes each message in full when it arrives and copies its headers for each one
 * more: a sixth of what an entry costs the ledger, most of what the collector has to do there, and half a minute in which nothing else
 * happens where a stranger puts 5,000 headers on a small record. It must run before anything was fetched, for kafkajs loads what it
 * decodes with at the first fetch; where it comes late, messages are as kafkajs makes them.
 * @throws when kafkajs is no longer the one this was written for.
 */
export function mendRecordDecoder(): void {
  const require = createRequire(import.meta.url);
  const path = require.resolve('kafkajs/src/protocol/recordBatch/record/v0/decoder.js');
  require(path);
  const loaded = require.cache[path];
  if (typeof loaded?.exports !== 'function')
    throw new Error('kafkajs has another record decoder: see services/eventlog/kafka/mend-record-decoder.ts');
  loaded.exports = (decoder: { readonly buffer: Buffer }, context: BatchContext): FetchedMessage =>
    new FetchedMessage(decoder.buffer, context);
}
