import type { StoredRecord } from '../../../schema/events/log-record.ts';
import type { BatchOutcome } from '../../../services/ledger/batch.ts';
import { postBatch } from '../../../services/ledger/batch.ts';
import { prepareRecords } from '../../../services/ledger/prepare.ts';
import { createPriceSheets } from '../../../services/ledger/price-sheets.ts';
import { createPostgresLedgerStore } from '../../../services/ledger/store/postgres/postgres-ledger-store.ts';
import { systemClock } from '../../../services/runtime/clock.ts';
import { createLog } from '../../../services/runtime/log.ts';
import type { DatabaseConnection } from '../../../services/runtime/postgres.ts';
import { systemRandom } from '../../../services/runtime/random.ts';

export const topicName = 'turnpike.requests.v1';
export const silentLog = createLog({ name: 'test', level: 'silent' });

/** Takes a partition over, as a consumer does when it is assigned. */
export async function assign(database: DatabaseConnection, partition = 0, owner = 'test'): Promise<{ epoch: bigint; nextOffset: bigint }> {
  return createPostgresLedgerStore(database).takeOverPartition({ topic: topicName, partition, owner, nowMs: Date.now() });
}

/** Posts records of one partition in one transaction, with nothing around it. */
export async function postRecords(
  database: DatabaseConnection,
  records: readonly StoredRecord[],
  options: { readonly epoch: bigint; readonly partition?: number },
): Promise<BatchOutcome> {
  const { epoch, partition = 0 } = options;
  const store = createPostgresLedgerStore(database);
  const prepared = await prepareRecords(records, createPriceSheets(store, silentLog), Date.now());
  const times = prepared.flatMap((record) => (record.kind === 'entry' ? record.entry.occurred_at.getTime() : []));
  await store.ensureRoom(times);
  return postBatch({
    store,
    topic: topicName,
    slices: [{ partition, epoch, records: prepared }],
    clock: systemClock,
    random: systemRandom,
  });
}
