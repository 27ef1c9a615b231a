import { leaseMutations } from './lease-mutations.ts';
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
  { name: 'acknowledged-before-sync', tampering: acknowledgedBeforeSync, seed: 1 },
  { name: 'offset-committed-apart', tampering: offsetCommittedApart, seed: 1 },
  { name: 'missing-fencing', tampering: missingFencing, seed: 7 },
  { name: 'dedupe-by-time-window', tampering: dedupeByWindow, seed: 9 },
  { name: 'poison-dropped', tampering: poisonDropped, seed: 2 },
  { name: 'unknown-commit-taken-for-done', tampering: unknownCommitTakenForDone, seed: 16 },
  { name: 'resent-under-a-new-id', tampering: resentUnderNewId, seed: 2 },
  { name: 'seek-from-the-log', tampering: seekFromLog, seed: 1 },
  { name: 'cursor-by-insertion', tampering: cursorByInsertion, seed: 1 },
  {
    name: 'answered-before-it-is-written',
    patch: { file: openSpool, from: 'else segments.whenWritten(run);', to: 'else run();' },
    seed: 1,
  },
  {
    name: 'unsynced-records-shipped',
    patch: { file: openSpool, from: 'syncedSequence: () => segments.syncedSequence,', to: 'syncedSequence: () => segments.lastSequence,' },
    seed: 1,
  },
  {
    name: 'orphans-not-written',
    patch: {
      file: 'services/proxy/settlement/books.ts',
      from: 'spool.close(requestId, record.record, () => {});',
      to: 'void record;',
    },
    seed: 5,
  },
  {
    name: 'freed-before-acknowledged',
    patch: {
      file: 'services/eventlog/spool/sender.ts',
      from: 'if (records !== null && (await ship(batch, records))) options.onSent(batch.length);',
      to: 'if (records !== null) {\n        options.onSent(batch.length);\n        await ship(batch, records);\n      }',
    },
    seed: 5,
  },
  {
    name: 'opening-record-freed-before-its-close-is-durable',
    patch: {
      file: 'services/eventlog/segments/create-segmented-log.ts',
      from: ' || oldest.freeAfter > syncedSequence) return;',
      to: ') return;',
    },
    seed: 1018,
  },
  {
    name: 'torn-tail-accepted',
    patch: {
      file: 'services/eventlog/segments/frame.ts',
      from: 'if (end > bytes.length || crc32(bytes.subarray(payloadAt, end)) !== bytes.readUInt32LE(at + 4)) return null;',
      to: 'if (end > bytes.length) return null;',
    },
    seed: 49,
  },
  {
    name: 'failed-sync-trusted',
    patch: { file: 'services/eventlog/segments/recovery.ts', from: '  await proveNewest(options, segments);\n', to: '' },
    seed: 4677,
  },
  {
    name: 'second-relocation-beside-the-first',
    patch: {
      file: 'services/eventlog/segments/create-segmented-log.ts',
      from: 'if (retryScheduled || relocating) return;',
      to: 'if (retryScheduled) return;',
    },
    seed: 11,
  },
  {
    name: 'embedded-log-acknowledges-before-sync',
    patch: { file: 'services/eventlog/embedded/journal.ts', from: 'segments.whenSynced(() => {', to: 'segments.whenWritten(() => {' },
    seed: 652,
  },
  {
    name: 'rollup-from-the-batch',
    patch: {
      file: 'services/ledger/batch.ts',
      from: 'addWhatFollows(books, booked),\n      books.insertDeadLetters',
      to: "addWhatFollows(books, { ...booked, posted: records.filter((record) => record.kind === 'entry') }),\n      books.insertDeadLetters",
    },
    seed: 2,
  },
  {
    name: 'sequenced-by-id',
    patch: {
      file: sequencing,
      from: 'if (left.partition !== right.partition) return left.partition - right.partition;',
      to: 'if (left.id !== right.id) return left.id < right.id ? -1 : 1;',
    },
    seed: 1,
  },
  {
    name: 'sequenced-with-a-gap',
    patch: {
      file: sequencing,
      from: 'next.set(organizationId, position + 1);',
      to: "next.set(organizationId, position + (id.endsWith('0') ? 2 : 1));",
    },
    seed: 1,
  },
  ...leaseMutations,
];
