import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Topic } from '../../schema/events/topics.ts';
import type { Database } from '../../schema/tables/database.ts';
import type { Clock } from '../runtime/clock.ts';
import { StartRefusal } from '../runtime/start-refusal.ts';

/**
 * Records how many partitions a topic has when it is first seen.
 * @throws StartRefusal when it has another number now: keys would change partitions, and two consumers could post one key.
 */
export async function refuseChangedPartitions(db: Kysely<Database>, topic: Topic): Promise<void> {
  await db
    .insertInto('log_topics')
    .values({ topic: topic.name, partitions: topic.partitions })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { partitions } = await db.selectFrom('log_topics').select('partitions').where('topic', '=', topic.name).executeTakeFirstOrThrow();
  if (partitions === topic.partitions) return;
  throw new StartRefusal(
    `The topic ${topic.name} has ${topic.partitions} partitions, but the ledger was written with ${partitions}. ` +
      'The number must never change: restore it, or move to a topic of another name.',
  );
}

/** A partition as it was taken over: where to go on, and the epoch every batch of it has to name. */
export type Tenure = { readonly epoch: bigint; readonly nextOffset: bigint };

/**
 * Takes a partition over: from the commit of this statement on, batches under an older epoch are refused. It waits for one
 * that is being committed. A partition seen for the first time begins at 0.
 */
export async function takeOverPartition(
  db: Kysely<Database>,
  options: { readonly topic: string; readonly partition: number; readonly owner: string; readonly clock: Clock },
): Promise<Tenure> {
  const row = await db
    .insertInto('log_offsets')
    .values({
      topic: options.topic,
      partition: options.partition,
      next_offset: 0n,
      owner: options.owner,
      epoch: 1n,
      updated_at: new Date(options.clock.now()),
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
