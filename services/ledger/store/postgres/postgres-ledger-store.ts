import type { Kysely } from 'kysely';
import { CompiledQuery } from 'kysely';
import type { Database } from '../../../../schema/tables/database.ts';
import { appendEntries, appendRequestSubjects, createPartitionKeeper, readBodyHashes } from '../../../journal/append-entries.ts';
import { plainArray } from '../../../journal/sql-array.ts';
import type { DatabaseConnection } from '../../../runtime/postgres.ts';
import { prepared } from '../../../runtime/postgres.ts';
import type { ActivatedTags } from '../../rollups.ts';
import type { LedgerStore, LedgerTransaction, PostedCount, PostedHold } from '../ledger-store.ts';
import { limitTransaction } from './limit-transaction.ts';
import { advanceOffsets, lockOffsets, recordPartitions, takeOverPartition } from './log-offsets.ts';
import { writeDeadLetters } from './write-dead-letters.ts';
import { writeRollups } from './write-rollups.ts';

const selectTags = prepared('select organization_id, tag_key from activated_tags where organization_id = any ($1::uuid[])');

/**
 * The books in PostgreSQL: each operation is one statement, whatever the size of its batch.
 * @param database connections in role `writer`.
 */
export function createPostgresLedgerStore({ db, pipeline }: Pick<DatabaseConnection, 'db' | 'pipeline'>): LedgerStore {
  const partitions = createPartitionKeeper(db);
  return {
    recordPartitions: (topic, count) => recordPartitions(db, topic, count),
    takeOverPartition: (claim) => takeOverPartition(db, claim),
    readPriceSheets: (versions) =>
      db.selectFrom('price_versions').select(['name as version', 'sheet']).where('name', 'in', versions).execute(),
    ensureRoom: partitions.ensure,
    transaction: (work) =>
      pipeline(async (statements) => {
        // Set before the rows are asked for, since waiting for them counts as well.
        const [, result] = await Promise.all([
          statements.executeQuery(CompiledQuery.raw(limitTransaction)),
          work(ledgerTransaction(statements)),
        ]);
        return result;
      }),
  };
}

/** The books within a transaction that somebody began, limited as {@link limitTransaction} says. */
export function ledgerTransaction(trx: Kysely<Database>): LedgerTransaction {
  return {
    lockOffsets: (topic, numbers) => lockOffsets(trx, topic, numbers),
    insertEntries: (entries) => appendEntries(trx, entries),
    readBodyHashes: (keys) => readBodyHashes(trx, keys),
    insertDeadLetters: (letters) => writeDeadLetters(trx, letters),
    insertSubjects: (subjects) => appendRequestSubjects(trx, subjects),
    readActivatedTags: (organizations) => readActivatedTags(trx, organizations),
    addRollups: (rollups) => writeRollups(trx, rollups),
    postHolds: (holds, counts) => postHolds(trx, holds, counts),
    advanceOffsets: (topic, advances, nowMs) => advanceOffsets(trx, topic, advances, nowMs),
  };
}

const leasePost = prepared('select lease_post($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::numeric[], $6::numeric[])');

const budgetPost = prepared(
  'select budget_post($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::numeric[], $6::numeric[], $7::uuid[], $8::uuid[], $9::text[], $10::numeric[])',
);

async function postHolds(trx: Kysely<Database>, holds: readonly PostedHold[], counts: readonly PostedCount[]): Promise<void> {
  const columns = [
    holds.map(({ organizationId }) => organizationId),
    holds.map(({ counter }) => counter),
    holds.map(({ node }) => node),
    holds.map(({ epoch }) => epoch),
    holds.map(({ debit }) => debit),
    holds.map(({ cost }) => cost),
  ];
  if (counts.length === 0) {
    await trx.executeQuery(CompiledQuery.raw(leasePost, columns));
    return;
  }
  const counted = [
    counts.map(({ organizationId }) => organizationId),
    counts.map(({ limit }) => limit),
    counts.map(({ group }) => group),
    counts.map(({ cost }) => cost),
  ];
  await trx.executeQuery(CompiledQuery.raw(budgetPost, [...columns, ...counted]));
}

async function readActivatedTags(trx: Kysely<Database>, organizations: readonly string[]): Promise<ActivatedTags> {
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
