import type { RequestSubjectInsert } from '../../../services/journal/append-entries.ts';
import type { LedgerEntryInsert } from '../../../services/journal/entry-columns.ts';
import type { RollupGrain, RollupRow } from '../../../services/ledger/rollups.ts';
import { ROLLUP_GRAINS } from '../../../services/ledger/rollups.ts';
import type {
  DeadLetterInsert,
  EntryKey,
  OffsetAdvance,
  PartitionClaim,
  PostedHold,
  Tenure,
} from '../../../services/ledger/store/ledger-store.ts';
import { entryKey, itemKey, offsetKey } from './books.ts';
import { databaseError } from './database-errors.ts';
import type { EntryConstraint } from './entry-constraints.ts';
import { refuseOffendingRow, refuseUnfitJson, refuseUnfitValues } from './entry-constraints.ts';
import type { OpenTransaction } from './open-transaction.ts';
import { addRollup } from './rollup-sums.ts';

/** See `LedgerStore.recordPartitions`. */
export async function recordPartitions(trx: OpenTransaction, topic: string, partitions: number): Promise<number> {
  const kept = trx.topics.get(topic);
  if (kept !== undefined) return kept;
  await trx.lock(`topic ${topic}`);
  if (!trx.topics.has(topic)) trx.topics.set(topic, partitions);
  return trx.topics.get(topic) ?? partitions;
}

/** See `LedgerStore.takeOverPartition`. */
export async function takeOver(trx: OpenTransaction, claim: PartitionClaim): Promise<Tenure> {
  const key = offsetKey(claim.topic, claim.partition);
  await trx.lock(`offset ${key}`);
  const kept = trx.offsets.get(key);
  const tenure = { epoch: (kept?.epoch ?? 0n) + 1n, nextOffset: kept?.nextOffset ?? 0n };
  trx.offsets.set(key, { ...tenure, owner: claim.owner });
  return tenure;
}

/** See `LedgerTransaction.lockOffsets`. */
export async function lockOffsets(
  trx: OpenTransaction,
  topic: string,
  partitions: readonly number[],
): Promise<ReadonlyMap<number, Tenure>> {
  const tenures = new Map<number, Tenure>();
  for (const partition of partitions.toSorted((left, right) => left - right)) {
    const key = offsetKey(topic, partition);
    // A row that is not there cannot be locked, here as there.
    if (!trx.offsets.has(key)) continue;
    await trx.lock(`offset ${key}`);
    const kept = trx.offsets.get(key);
    if (kept !== undefined) tenures.set(partition, { epoch: kept.epoch, nextOffset: kept.nextOffset });
  }
  return tenures;
}

/** See `LedgerTransaction.insertEntries`; with each entry its place in the list of what waits, as the trigger does. */
export async function insertEntries(
  trx: OpenTransaction,
  entries: readonly LedgerEntryInsert[],
  options: { readonly now: Date; readonly constraints: readonly EntryConstraint[]; readonly nextOrder: () => bigint },
): Promise<ReadonlySet<string>> {
  refuseUnfitValues(entries);
  const added = new Set<string>();
  for (const entry of entries) {
    refuseOffendingRow(entry, trx.books, options.constraints);
    const key = entryKey(entry);
    if (trx.entries.has(key)) continue;
    const wait = trx.lock(`entry ${key}`);
    if (wait !== undefined) await wait;
    if (trx.entries.has(key)) continue;
    trx.entries.set(key, { entry, recordedAt: options.now });
    added.add(entry.entry_id);
    const item = { kind: 'entry', id: entry.entry_id } as const;
    trx.waiting.set(itemKey(item), {
      ...item,
      organizationId: entry.organization_id,
      occurredAt: entry.occurred_at,
      partition: entry.log_partition ?? -1,
      offset: entry.log_offset ?? options.nextOrder(),
    });
  }
  return added;
}

/** See `LedgerTransaction.readBodyHashes`. */
export function readBodyHashes(trx: OpenTransaction, keys: readonly EntryKey[]): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>();
  for (const key of keys) {
    const kept = trx.entries.get(entryKey(key));
    if (kept !== undefined) hashes.set(key.entry_id, kept.entry.body_hash.toString('hex'));
  }
  return hashes;
}

/** See `LedgerTransaction.insertDeadLetters`. */
export async function insertDeadLetters(trx: OpenTransaction, letters: readonly DeadLetterInsert[]): Promise<void> {
  for (const letter of letters) {
    if (letter.key.includes('\0') || letter.detail.includes('\0'))
      throw databaseError('22021', 'invalid byte sequence for encoding "UTF8": 0x00');
    refuseUnfitJson(letter.headers);
  }
  for (const letter of letters) {
    const key = `${offsetKey(letter.topic, letter.partition)}/${letter.offset}`;
    await trx.lock(`letter ${key}`);
    if (!trx.deadLetters.has(key)) trx.deadLetters.set(key, letter);
  }
}

/** See `LedgerTransaction.insertSubjects`. */
export async function insertSubjects(trx: OpenTransaction, subjects: readonly RequestSubjectInsert[]): Promise<void> {
  for (const { metadata } of subjects) refuseUnfitJson(metadata ?? {});
  for (const subject of subjects) {
    await trx.lock(`subject ${subject.requestId}`);
    if (!trx.subjects.has(subject.requestId)) trx.subjects.set(subject.requestId, subject);
  }
}

/** See `LedgerTransaction.postHolds`. */
export function postHolds(trx: OpenTransaction, holds: readonly PostedHold[]): void {
  for (const { counter, node, epoch, debit, cost } of holds) {
    trx.holds.push({ counter: trx.books.counterNames.get(counter) ?? counter, node, epoch: Number(epoch), debit, cost });
  }
}

/** See `LedgerTransaction.addRollups`. */
export async function addRollups(trx: OpenTransaction, rollups: Readonly<Record<RollupGrain, readonly RollupRow[]>>): Promise<void> {
  for (const grain of ROLLUP_GRAINS) {
    for (const row of rollups[grain]) {
      const wait = trx.lock(`${grain} ${row.key}`);
      if (wait !== undefined) await wait;
      trx.rollups[grain].set(row.key, addRollup(trx.rollups[grain].get(row.key), row));
    }
  }
}

/** See `LedgerTransaction.advanceOffsets`. */
export async function advanceOffsets(trx: OpenTransaction, topic: string, advances: readonly OffsetAdvance[]): Promise<number> {
  let moved = 0;
  for (const { partition, epoch, nextOffset } of advances) {
    const key = offsetKey(topic, partition);
    await trx.lock(`offset ${key}`);
    const kept = trx.offsets.get(key);
    if (kept === undefined || kept.epoch !== epoch || kept.nextOffset >= nextOffset) continue;
    trx.offsets.set(key, { ...kept, nextOffset });
    moved += 1;
  }
  return moved;
}
