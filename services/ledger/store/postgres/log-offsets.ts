import type { Kysely } from 'kysely';
import { CompiledQuery, sql } from 'kysely';
import type { Database } from '../../../../schema/tables/database.ts';
import { plainArray } from '../../../journal/sql-array.ts';
import { prepared } from '../../../runtime/postgres.ts';
import type { OffsetAdvance, PartitionClaim, Tenure } from '../ledger-store.ts';

const selectOffsets = prepared(`select partition, epoch, next_offset from log_offsets
where topic = $1 and partition = any ($2::integer[]) order by partition for update`);
const updateOffsets = prepared(`update log_offsets as kept set next_offset = new.next_offset, updated_at = $5
from unnest($2::integer[], $3::bigint[], $4::bigint[]) as new (partition, epoch, next_offset)
where kept.topic = $1 and kept.partition = new.partition and kept.epoch = new.epoch and kept.next_offset < new.next_offset`);

/** See the port: {@link LedgerStore.recordPartitions}. */
export async function recordPartitions(db: Kysely<Database>, topic: string, partitions: number): Promise<number> {
  await db
    .insertInto('log_topics')
    .values({ topic, partitions })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const kept = await db.selectFrom('log_topics').select('partitions').where('topic', '=', topic).executeTakeFirstOrThrow();
  return kept.partitions;
}

/** One statement, so that its commit is the moment of the change; it waits for a batch that is being committed. */
export async function takeOverPartition(db: Kysely<Database>, claim: PartitionClaim): Promise<Tenure> {
  const row = await db
    .insertInto('log_offsets')
    .values({
      topic: claim.topic,
      partition: claim.partition,
      next_offset: 0n,
      owner: claim.owner,
      epoch: 1n,
      updated_at: new Date(claim.nowMs),
    })
    .onConflict((conflict) =>
      conflict.columns(['topic', 'partition']).doUpdateSet((excluded) => ({
        owner: excluded.ref('excluded.owner'),
        epoch: sql<bigint>`log_offsets.epoch + 1`,
        updated_at: excluded.ref('excluded.updated_at'),
      })),
    )
    .returning(['epoch', 'next_offset'])
    .executeTakeFirstOrThrow();
  return { epoch: row.epoch, nextOffset: row.next_offset };
}

/** See the port: {@link LedgerTransaction.lockOffsets}. */
export async function lockOffsets(
  trx: Kysely<Database>,
  topic: string,
  partitions: readonly number[],
): Promise<ReadonlyMap<number, Tenure>> {
  const { rows } = await trx.executeQuery<{ partition: number; epoch: bigint; next_offset: bigint }>(
    CompiledQuery.raw(selectOffsets, [topic, plainArray(partitions)]),
  );
  return new Map(rows.map((row) => [row.partition, { epoch: row.epoch, nextOffset: row.next_offset }]));
}

/** See the port: {@link LedgerTransaction.advanceOffsets}. */
export async function advanceOffsets(
  trx: Kysely<Database>,
  topic: string,
  advances: readonly OffsetAdvance[],
  nowMs: number,
): Promise<number> {
  const { numAffectedRows } = await trx.executeQuery(
    CompiledQuery.raw(updateOffsets, [
      topic,
      plainArray(advances.map(({ partition }) => partition)),
      plainArray(advances.map(({ epoch }) => epoch)),
      plainArray(advances.map(({ nextOffset }) => nextOffset)),
      new Date(nowMs),
    ]),
  );
  return Number(numAffectedRows ?? 0n);
}
