import type { Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { mintUuid } from '../../schema/values/ids.ts';
import { byteaArray, plainArray, textArray } from '../journal/sql-array.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { DeadRecord } from './prepare.ts';

/**
 * Keeps records that could not be booked: their bytes as they came, why, and where they stood. It takes any record: headers
 * and key are freed of what PostgreSQL cannot store, for this is where everything else that fails ends up.
 */
export async function appendDeadLetters(
  trx: Transaction<Database>,
  options: { readonly topic: string; readonly records: readonly DeadRecord[]; readonly clock: Clock; readonly random: Random },
): Promise<void> {
  const { topic, records, clock, random } = options;
  if (records.length === 0) return;
  const nowMs = clock.now();
  await sql`insert into dead_letters (id, topic, partition, log_offset, reason, detail, organization_id, record_key, headers, value)
    select id, ${topic}, partition, log_offset, reason, detail, organization_id, record_key, headers::jsonb, value
    from unnest(${plainArray(records.map(() => mintUuid(nowMs, random.bytes(10))))}::uuid[],
      ${plainArray(records.map(({ record }) => record.partition))}::integer[],
      ${plainArray(records.map(({ record }) => record.offset))}::bigint[],
      ${textArray(records.map(({ reason }) => reason))}::text[],
      ${textArray(records.map(({ detail }) => storable(detail)))}::text[],
      ${plainArray(records.map(({ organizationId }) => organizationId))}::uuid[],
      ${textArray(records.map(({ record }) => storable(record.key)))}::text[],
      ${textArray(records.map(({ record }) => JSON.stringify(storableHeaders(record.headers))))}::text[],
      ${byteaArray(records.map(({ record }) => record.value))}::bytea[])
      as new (id, partition, log_offset, reason, detail, organization_id, record_key, headers, value)
    on conflict (topic, partition, log_offset) do nothing`.execute(trx);
}

function storableHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [storable(name), storable(value)]));
}

function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}
