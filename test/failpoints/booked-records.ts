import { sql } from 'kysely';
import { expect } from 'vitest';
import type { LogRecord } from '../../schema/events/log-record.ts';
import { REQUESTS_TOPIC } from '../../schema/events/topics.ts';
import { partitionOf } from '../../services/eventlog/partition.ts';
import { recomputeRollups } from '../../services/ledger/recompute-rollups.ts';
import { ROLLUP_GRAINS } from '../../services/ledger/rollups.ts';
import type { TestDatabase } from '../harness/postgres.ts';
import { anId, recordOf, settledEvent, testCost } from '../services/ledger/settled-records.ts';

const organizationId = anId('organization');
const apiKeys = Array.from({ length: 24 }, () => anId('apiKey'));

/** So many settled requests of one organization, each once, of keys in all partitions. */
export function settledRecords(count: number): LogRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const apiKeyId = apiKeys[index % apiKeys.length] ?? '';
    return recordOf(settledEvent({ organizationId, apiKeyId }), {
      offset: 0n,
      partition: partitionOf(apiKeyId, REQUESTS_TOPIC.partitions),
    });
  });
}

/** How many entries there are. */
export async function countEntries({ owner }: Pick<TestDatabase, 'owner'>): Promise<number> {
  const { rows } = await sql<{ entries: bigint }>`select count(*) as entries from ledger_entries`.execute(owner.db);
  return Number(rows[0]?.entries);
}

/** So many of {@link settledRecords}, once each, summed, and placed without a gap. */
export async function expectBooks({ owner }: Pick<TestDatabase, 'owner'>, count: number): Promise<void> {
  const { rows } = await sql<Record<string, bigint>>`select
    (select count(*) from ledger_entries) as entries, (select coalesce(sum(cost), 0)::numeric(38, 0) from ledger_entries) as cost,
    (select count(*) from dead_letters) as dead, (select count(*) from journal_positions) as sequenced,
    (select coalesce(max(position), -1) + 1 from journal_positions) as next`.execute(owner.db);
  const all = BigInt(count);
  expect(rows).toEqual([{ entries: all, cost: all * testCost, dead: 0n, sequenced: all, next: all }]);
  const range = { from: new Date(0), until: new Date(Date.UTC(2100, 0)) };
  for (const grain of ROLLUP_GRAINS) expect(await recomputeRollups(owner.db, grain, range)).toEqual([]);
}
