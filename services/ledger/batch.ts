import type { LedgerEntryInsert } from '../journal/entry-columns.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { deadLettersOf } from './dead-letters.ts';
import type { DeadRecord, PreparedRecord } from './prepare.ts';
import { deadRecord } from './prepare.ts';
import type { ActivatedTags } from './rollups.ts';
import { rollUp } from './rollups.ts';
import type { LedgerStore, LedgerTransaction, PostedCount, PostedHold } from './store/ledger-store.ts';

/** Records of one partition in offset order, and the epoch under which they were handed to us. */
export interface PartitionSlice {
  readonly partition: number;
  readonly epoch: bigint;
  readonly records: readonly PreparedRecord[];
}

/** What one committed transaction did. */
export interface BatchOutcome {
  /** Records whose entries were added. */
  readonly posted: readonly (PreparedRecord & { kind: 'entry' })[];
  /** Events that the ledger held already, to the byte. */
  readonly duplicates: number;
  readonly dead: readonly DeadRecord[];
  /** Records below the partition's offset: an earlier transaction has dealt with them. */
  readonly alreadyDone: number;
  /** Partitions that belong to another owner by now: nothing of theirs was written. */
  readonly fenced: readonly number[];
}

export interface PostBatchOptions {
  readonly store: LedgerStore;
  readonly topic: string;
  readonly slices: readonly PartitionSlice[];
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Posts records in one transaction: entries, what follows from them (rollups, personal data), dead letters and the offsets.
 * All of it or nothing, once: the offset rows are locked first, a partition whose epoch is no longer ours is left out, and
 * records below the stored offset are passed over. Run again after any failure, a lost answer to COMMIT included, it does
 * what is left to do, which may be nothing.
 */
export async function postBatch(options: PostBatchOptions): Promise<BatchOutcome> {
  return options.store.transaction(async (books) => {
    const { live, records, alreadyDone, fenced } = await takeOver(books, options);
    if (records.length === 0) return { posted: [], duplicates: 0, dead: [], alreadyDone, fenced };

    const booked = await insertRecords(books, records);
    await Promise.all([
      addWhatFollows(books, booked),
      books.insertDeadLetters(deadLettersOf(booked.dead, options)),
      moveOffsets(books, live, options),
      debitLeases(books, booked),
    ]);
    return { posted: booked.posted, duplicates: booked.duplicates, dead: booked.dead, alreadyDone, fenced };
  });
}

/**
 * Adds records to the books, wherever they stood: entries, and what follows from them (rollups, personal data). Those that are
 * dead already, or turn out to be other bytes under an id that was used, come back as dead; where they are kept is the caller's.
 */
export async function bookRecords(
  books: LedgerTransaction,
  records: readonly PreparedRecord[],
): Promise<Pick<BatchOutcome, 'posted' | 'duplicates' | 'dead'>> {
  const booked = await insertRecords(books, records);
  await Promise.all([addWhatFollows(books, booked), debitLeases(books, booked)]);
  return booked;
}

type Booked = Pick<BatchOutcome, 'posted' | 'duplicates' | 'dead'> & { readonly activatedTags: ActivatedTags };

async function insertRecords(books: LedgerTransaction, records: readonly PreparedRecord[]): Promise<Booked> {
  const { first, repeated } = firstOfEachId(records);
  const entries = first.map(({ entry }) => entry);
  const [added, activatedTags] = await Promise.all([books.insertEntries(entries), books.readActivatedTags(organizationsOf(entries))]);
  const posted = first.filter(({ entry }) => added.has(entry.entry_id));
  const known = [...first.filter(({ entry }) => !added.has(entry.entry_id)), ...repeated];
  const { duplicates, reused } = await compareWithBooks(books, known);
  return { posted, duplicates, dead: [...records.filter((record) => record.kind === 'dead'), ...reused], activatedTags };
}

/** Personal data and sums of entries that were added. */
async function addWhatFollows(books: LedgerTransaction, { posted, activatedTags }: Booked): Promise<void> {
  const entries = posted.map(({ entry }) => entry);
  if (entries.length === 0) return;
  await Promise.all([
    books.insertSubjects(posted.flatMap(({ subject }) => subject ?? [])),
    books.addRollups(rollUp(entries, activatedTags)),
  ]);
}

/** Last of all statements: what it locks is never waited for with anything else still to lock (migrations/0013_leases.sql). */
async function debitLeases(books: LedgerTransaction, { posted }: Booked): Promise<void> {
  const holds: PostedHold[] = [];
  const counts: PostedCount[] = [];
  for (const record of posted) {
    for (const hold of record.holds) holds.push(hold);
    for (const count of record.counts) counts.push(count);
  }
  if (holds.length > 0 || counts.length > 0) await books.postHolds(holds, counts);
}

type EntryRecord = PreparedRecord & { kind: 'entry' };

/** Locks the offset rows and drops what is not ours to write. */
async function takeOver(
  books: LedgerTransaction,
  { topic, slices }: PostBatchOptions,
): Promise<{ live: PartitionSlice[]; records: PreparedRecord[]; alreadyDone: number; fenced: number[] }> {
  const stored = await books.lockOffsets(
    topic,
    slices.map(({ partition }) => partition),
  );
  const live: PartitionSlice[] = [];
  const records: PreparedRecord[] = [];
  const fenced: number[] = [];
  let alreadyDone = 0;
  for (const slice of slices) {
    const tenure = stored.get(slice.partition);
    if (tenure === undefined || tenure.epoch !== slice.epoch) {
      fenced.push(slice.partition);
      continue;
    }
    const open = slice.records.filter(({ record }) => record.offset >= tenure.nextOffset);
    alreadyDone += slice.records.length - open.length;
    if (open.length === 0) continue;
    live.push({ ...slice, records: open });
    for (const record of open) records.push(record);
  }
  return { live, records, alreadyDone, fenced };
}

/** The first record of each id; the others are compared with what the books then hold. */
function firstOfEachId(records: readonly PreparedRecord[]): { first: EntryRecord[]; repeated: EntryRecord[] } {
  const seen = new Set<string>();
  const first: EntryRecord[] = [];
  const repeated: EntryRecord[] = [];
  for (const record of records) {
    if (record.kind === 'dead') continue;
    if (seen.has(record.entry.entry_id)) repeated.push(record);
    else first.push(record);
    seen.add(record.entry.entry_id);
  }
  return { first, repeated };
}

/** Tells a redelivery (same id, same bytes) from an id used twice, which is never booked (DESIGN, "duplicate event ids"). */
async function compareWithBooks(
  books: LedgerTransaction,
  known: readonly EntryRecord[],
): Promise<{ duplicates: number; reused: DeadRecord[] }> {
  if (known.length === 0) return { duplicates: 0, reused: [] };
  const hashes = await books.readBodyHashes(known.map(({ entry }) => entry));
  const reused = known.filter(({ entry }) => hashes.get(entry.entry_id) !== entry.body_hash.toString('hex'));
  return {
    duplicates: known.length - reused.length,
    reused: reused.map((record) => deadRecord(record, 'id_reuse', 'the ledger holds other bytes under this id')),
  };
}

function organizationsOf(entries: readonly LedgerEntryInsert[]): string[] {
  return [...new Set(entries.map((entry) => entry.organization_id))];
}

/** Under the lock this cannot miss; it checks all the same, since an offset that goes astray is books that go astray. */
async function moveOffsets(books: LedgerTransaction, slices: readonly PartitionSlice[], { topic, clock }: PostBatchOptions): Promise<void> {
  const advances = slices.map(({ partition, epoch, records }) => ({
    partition,
    epoch,
    nextOffset: (records.at(-1)?.record.offset ?? -1n) + 1n,
  }));
  const moved = await books.advanceOffsets(topic, advances, clock.now());
  if (moved !== slices.length) throw new Error('an offset moved under its lock');
}
