import type { Kysely, Transaction } from 'kysely';
import { CompiledQuery } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { appendEntries, appendRequestSubjects, readBodyHashes } from '../journal/append-entries.ts';
import type { LedgerEntryInsert } from '../journal/entry-columns.ts';
import { plainArray } from '../journal/sql-array.ts';
import type { Clock } from '../runtime/clock.ts';
import { prepared } from '../runtime/postgres.ts';
import type { Random } from '../runtime/random.ts';
import { appendDeadLetters } from './dead-letters.ts';
import type { DeadRecord, PreparedRecord } from './prepare.ts';
import { deadRecord } from './prepare.ts';
import type { ActivatedTags } from './rollups.ts';
import { rollUp } from './rollups.ts';
import { writeRollups } from './write-rollups.ts';

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
  readonly db: Kysely<Database>;
  readonly topic: string;
  readonly slices: readonly PartitionSlice[];
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * A frozen process must not hold the offset rows it locked: the server ends the transaction then, and the next owner goes on.
 * Set before the rows are asked for, since waiting for them counts as well.
 */
const limitTransaction = prepared(`select set_config('transaction_timeout', '15s', true)`);
const lockOffsets = prepared(`select partition, epoch, next_offset from log_offsets
where topic = $1 and partition = any ($2::integer[]) order by partition for update`);
const selectTags = prepared('select organization_id, tag_key from activated_tags where organization_id = any ($1::uuid[])');
const updateOffsets = prepared(`update log_offsets as kept set next_offset = new.next_offset, updated_at = $5
from unnest($2::integer[], $3::bigint[], $4::bigint[]) as new (partition, epoch, next_offset)
where kept.topic = $1 and kept.partition = new.partition and kept.epoch = new.epoch and kept.next_offset < new.next_offset`);

/**
 * Posts records in one transaction: entries, what follows from them (rollups, personal data), dead letters and the offsets.
 * All of it or nothing, once: the offset rows are locked first, a partition whose epoch is no longer ours is left out, and
 * records below the stored offset are passed over. Run again after any failure, a lost answer to COMMIT included, it does
 * what is left to do, which may be nothing.
 */
export async function postBatch(options: PostBatchOptions): Promise<BatchOutcome> {
  return options.db.transaction().execute(async (trx) => {
    await trx.executeQuery(CompiledQuery.raw(limitTransaction));
    const { live, records, alreadyDone, fenced } = await takeOver(trx, options);
    if (records.length === 0) return { posted: [], duplicates: 0, dead: [], alreadyDone, fenced };

    const { first, repeated } = firstOfEachId(records);
    const added = await appendEntries(
      trx,
      first.map(({ entry }) => entry),
    );
    const posted = first.filter(({ entry }) => added.has(entry.entry_id));
    const known = [...first.filter(({ entry }) => !added.has(entry.entry_id)), ...repeated];
    const { duplicates, reused } = await compareWithBooks(trx, known);
    const dead = [...records.filter((record) => record.kind === 'dead'), ...reused];

    await appendDeadLetters(trx, { topic: options.topic, records: dead, clock: options.clock, random: options.random });
    await appendRequestSubjects(
      trx,
      posted.flatMap(({ subject }) => subject ?? []),
    );
    const entries = posted.map(({ entry }) => entry);
    if (entries.length > 0) await writeRollups(trx, rollUp(entries, await readActivatedTags(trx, entries)));
    await moveOffsets(trx, options.topic, live, options.clock);
    return { posted, duplicates, dead, alreadyDone, fenced };
  });
}

type EntryRecord = PreparedRecord & { kind: 'entry' };

/** Locks the offset rows and drops what is not ours to write. */
async function takeOver(
  trx: Transaction<Database>,
  { topic, slices }: PostBatchOptions,
): Promise<{ live: PartitionSlice[]; records: PreparedRecord[]; alreadyDone: number; fenced: number[] }> {
  const { rows } = await trx.executeQuery<{ partition: number; epoch: bigint; next_offset: bigint }>(
    CompiledQuery.raw(lockOffsets, [topic, plainArray(slices.map(({ partition }) => partition))]),
  );
  const stored = new Map(rows.map((row) => [row.partition, row]));
  const live: PartitionSlice[] = [];
  const records: PreparedRecord[] = [];
  const fenced: number[] = [];
  let alreadyDone = 0;
  for (const slice of slices) {
    const row = stored.get(slice.partition);
    if (row === undefined || row.epoch !== slice.epoch) {
      fenced.push(slice.partition);
      continue;
    }
    const open = slice.records.filter(({ record }) => record.offset >= row.next_offset);
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
  trx: Transaction<Database>,
  known: readonly EntryRecord[],
): Promise<{ duplicates: number; reused: DeadRecord[] }> {
  if (known.length === 0) return { duplicates: 0, reused: [] };
  const hashes = await readBodyHashes(
    trx,
    known.map(({ entry }) => entry),
  );
  const reused = known.filter(({ entry }) => hashes.get(entry.entry_id) !== entry.body_hash.toString('hex'));
  return {
    duplicates: known.length - reused.length,
    reused: reused.map((record) => deadRecord(record, 'id_reuse', 'the ledger holds other bytes under this id')),
  };
}

async function readActivatedTags(trx: Transaction<Database>, entries: readonly LedgerEntryInsert[]): Promise<ActivatedTags> {
  const organizations = [...new Set(entries.map((entry) => entry.organization_id))];
  const { rows } = await trx.executeQuery<{ organization_id: string; tag_key: string }>(
    CompiledQuery.raw(selectTags, [plainArray(organizations)]),
  );
  const tags = new Map<string, string[]>();
  for (const { organization_id, tag_key } of rows) {
    const keys = tags.get(organization_id);
    if (keys === undefined) tags.set(organization_id, [tag_key]);
    else keys.push(tag_key);
  }
  return tags;
}

/** Under the lock this cannot miss; it checks all the same, since an offset that goes astray is books that go astray. */
async function moveOffsets(trx: Transaction<Database>, topic: string, slices: readonly PartitionSlice[], clock: Clock): Promise<void> {
  const next = slices.map(({ records }) => (records.at(-1)?.record.offset ?? -1n) + 1n);
  const { numAffectedRows } = await trx.executeQuery(
    CompiledQuery.raw(updateOffsets, [
      topic,
      plainArray(slices.map(({ partition }) => partition)),
      plainArray(slices.map(({ epoch }) => epoch)),
      plainArray(next),
      new Date(clock.now()),
    ]),
  );
  if (numAffectedRows !== BigInt(slices.length)) throw new Error('an offset moved under its lock');
}
