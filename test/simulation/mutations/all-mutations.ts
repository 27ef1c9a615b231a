import { acknowledgedBeforeSync, resentUnderNewId, seekFromLog } from './log-mutations.ts';
import type { Mutation } from './mutation.ts';
import {
  cursorByInsertion,
  dedupeByWindow,
  missingFencing,
  offsetCommittedApart,
  poisonDropped,
  unknownCommitTakenForDone,
} from './store-mutations.ts';

const openSpool = 'services/eventlog/spool/open-spool.ts';
const sequencing = 'test/simulation/store/sequencer-statements.ts';

/** Bugs that this simulation must notice: without them nobody would know that it can. */
export const MUTATIONS: readonly Mutation[] = [
  { name: 'acknowledged-before-sync', tampering: acknowledgedBeforeSync, seed: 1, notices: 'shipped is a part of synced' },
  { name: 'offset-committed-apart', tampering: offsetCommittedApart, seed: 1, notices: 'entries and offset move together' },
  { name: 'missing-fencing', tampering: missingFencing, seed: 7, notices: 'only the owner moves an offset' },
  { name: 'dedupe-by-time-window', tampering: dedupeByWindow, seed: 9, notices: 'no entry twice' },
  { name: 'poison-dropped', tampering: poisonDropped, seed: 2, notices: 'entries and offset move together' },
  { name: 'unknown-commit-taken-for-done', tampering: unknownCommitTakenForDone, seed: 16, notices: 'entries and offset move together' },
  { name: 'resent-under-a-new-id', tampering: resentUnderNewId, seed: 2, notices: 'nothing is booked that was not' },
  { name: 'seek-from-the-log', tampering: seekFromLog, seed: 1, notices: 'a call that was made is never lost' },
  { name: 'cursor-by-insertion', tampering: cursorByInsertion, seed: 1, notices: 'what is streamed is what is booked' },
  {
    name: 'answered-before-it-is-written',
    patch: { file: openSpool, from: 'else segments.whenWritten(run);', to: 'else run();' },
    seed: 1,
    notices: 'settlement durable before the last byte',
  },
  {
    name: 'unsynced-records-shipped',
    patch: { file: openSpool, from: 'syncedSequence: () => segments.syncedSequence,', to: 'syncedSequence: () => segments.lastSequence,' },
    seed: 1,
    notices: 'shipped is a part of synced',
  },
  {
    name: 'orphans-not-written',
    patch: {
      file: 'services/proxy/settlement/books.ts',
      from: 'spool.close(requestId, record, () => {});',
      to: 'void record;',
    },
    seed: 5,
    notices: 'a healed world comes to rest',
  },
  {
    name: 'freed-before-acknowledged',
    patch: {
      file: 'services/eventlog/spool/sender.ts',
      from: 'if (records !== null && (await ship(batch, records))) options.onSent(batch.length);',
      to: 'if (records !== null) {\n        options.onSent(batch.length);\n        await ship(batch, records);\n      }',
    },
    seed: 5,
    notices: 'a call that was made is never lost',
  },
  {
    name: 'opening-record-freed-before-its-close-is-durable',
    patch: {
      file: 'services/eventlog/segments/create-segmented-log.ts',
      from: ' || oldest.freeAfter > syncedSequence) return;',
      to: ') return;',
    },
    seed: 1018,
    notices: 'a call that was made is never lost',
  },
  {
    name: 'torn-tail-accepted',
    patch: {
      file: 'services/eventlog/segments/frame.ts',
      from: 'if (end > bytes.length || crc32(bytes.subarray(payloadAt, end)) !== bytes.readUInt32LE(at + 4)) return null;',
      to: 'if (end > bytes.length) return null;',
    },
    seed: 49,
    notices: 'a call that was made is never lost',
  },
  {
    name: 'failed-sync-trusted',
    patch: { file: 'services/eventlog/segments/recovery.ts', from: '  await proveNewest(options, segments);\n', to: '' },
    seed: 4677,
    notices: 'shipped is a part of synced',
  },
  {
    name: 'second-relocation-beside-the-first',
    patch: {
      file: 'services/eventlog/segments/create-segmented-log.ts',
      from: 'if (retryScheduled || relocating) return;',
      to: 'if (retryScheduled) return;',
    },
    seed: 11,
    notices: 'settlement durable before the last byte',
  },
  {
    name: 'embedded-log-acknowledges-before-sync',
    patch: { file: 'services/eventlog/embedded/journal.ts', from: 'segments.whenSynced(() => {', to: 'segments.whenWritten(() => {' },
    seed: 652,
    notices: 'a call that was made is never lost',
  },
  {
    name: 'rollup-from-the-batch',
    patch: {
      file: 'services/ledger/batch.ts',
      from: 'addWhatFollows(books, booked),',
      to: "addWhatFollows(books, { ...booked, posted: records.filter((record) => record.kind === 'entry') }),",
    },
    seed: 2,
    notices: 'rollups are the sums of entries',
  },
  {
    name: 'sequenced-by-id',
    patch: {
      file: sequencing,
      from: 'if (left.partition !== right.partition) return left.partition - right.partition;',
      to: 'if (left.id !== right.id) return left.id < right.id ? -1 : 1;',
    },
    seed: 1,
    notices: 'the journal keeps the order of a partition',
  },
  {
    name: 'sequenced-with-a-gap',
    patch: {
      file: sequencing,
      from: 'next.set(organizationId, position + 1);',
      to: "next.set(organizationId, position + (id.endsWith('0') ? 2 : 1));",
    },
    seed: 1,
    notices: 'positions are dense per organization',
  },
];
