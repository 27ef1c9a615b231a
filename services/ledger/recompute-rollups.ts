import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { HISTOGRAM_BUCKETS, upperBoundMs } from '../../schema/values/latency-histogram.ts';
import type { RollupGrain } from './rollups.ts';
import { dimensionNames, nilUuid, tokenColumns } from './rollups.ts';

/** A rollup row that is not what its entries sum to; one side is null where the row is missing there. */
export type RollupDifference = {
  readonly bucket: Date;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly kept: string | null;
  readonly recomputed: string | null;
};

const upperBounds = Array.from({ length: HISTOGRAM_BUCKETS - 1 }, (_, bucket) => upperBoundMs(bucket));
const sums = [
  'count(*)',
  'count(*) filter (where cost is null)',
  "count(*) filter (where usage_source = 'estimated')",
  'count(*) filter (where stream)',
  'coalesce(sum(cost), 0)',
  ...tokenColumns.map((column) => `sum(${column})`),
  histogram('first_byte_bucket'),
  histogram('total_bucket'),
];
const columns = [
  'requests',
  'unrated_requests',
  'estimated_requests',
  'streamed_requests',
  'cost',
  ...tokenColumns,
  'first_byte_histogram',
  'total_histogram',
];

/**
 * Sums the entries of a time range again, by other means than those that keep the rollups (in SQL, from the rows alone), and
 * compares (DESIGN, invariant 11). Rows by tag are compared in buckets that begin a minute or more after the tag's
 * activation: earlier ones count only what was posted since.
 * @param range from a bucket's start to a bucket's start, within what the grain's retention keeps.
 * @param limit most differences to give back.
 */
export async function recomputeRollups(
  db: Kysely<Database>,
  grain: RollupGrain,
  range: { readonly from: Date; readonly until: Date },
  limit = 100,
): Promise<readonly RollupDifference[]> {
  const dimensions = sql.raw(dimensionNames.join(', '));
  const inRange = (column: string) => sql`${sql.ref(column)} >= ${range.from} and ${sql.ref(column)} < ${range.until}`;
  const { rows } = await sql<{ bucket: Date; dimensions: Record<string, string>; kept: string | null; recomputed: string | null }>`
    with tag_keys as (
      select organization_id, tag_key, activated_at + interval '1 minute' as since from activated_tags
      union all select id, '', '-infinity' from organizations
      union select distinct organization_id, '', '-infinity'::timestamptz from ledger_entries where ${inRange('occurred_at')}
    ), counted as materialized (
      select entry.organization_id, date_trunc(${grain}, entry.occurred_at, 'UTC') as bucket, tag_keys.tag_key, since, api_key_id,
        coalesce(team_id, ${nilUuid}) as team_id, coalesce(user_id, ${nilUuid}) as user_id,
        coalesce(service_account_id, ${nilUuid}) as service_account_id, coalesce(provider, '') as provider, coalesce(model, '') as model,
        coalesce(route_id, ${nilUuid}) as route_id, outcome,
        case when tag_keys.tag_key = '' then '' else coalesce(entry.tags ->> tag_keys.tag_key, '') end as tag_value,
        cost, usage_source, stream, ${sql.raw(tokenColumns.join(', '))},
        ${sql.raw(bucketOf('first_byte_ms'))} as first_byte_bucket, ${sql.raw(bucketOf('total_ms'))} as total_bucket
      from ledger_entries as entry join tag_keys using (organization_id) where ${inRange('occurred_at')}
    ), recomputed as (
      select bucket, ${dimensions}, row(${sql.raw(sums.join(', '))})::text as sums from counted where bucket >= since group by bucket, ${dimensions}
    ), kept as (
      select bucket, ${dimensions}, row(${sql.raw(columns.join(', '))})::text as sums
      from ${sql.table(`usage_${grain}`)} as rollup join tag_keys using (organization_id, tag_key)
      where ${inRange('bucket')} and bucket >= since
    )
    select bucket, jsonb_build_object(${sql.raw(dimensionNames.map((name) => `'${name}', ${name}`).join(', '))}) as dimensions,
      kept.sums as kept, recomputed.sums as recomputed
    from kept full join recomputed using (bucket, ${dimensions})
    where kept.sums is distinct from recomputed.sums limit ${limit}`.execute(db);
  return rows;
}

/** How many upper bounds lie below a value is its bucket; null where there is no value. */
function bucketOf(column: string): string {
  const below = `select count(*) from unnest(array[${upperBounds.join(', ')}]::double precision[]) as bound where bound < ${column}`;
  return `case when ${column} is not null then (${below}) end`;
}

function histogram(bucket: string): string {
  return `array[${Array.from({ length: HISTOGRAM_BUCKETS }, (_, index) => `count(*) filter (where ${bucket} = ${index})`).join(', ')}]`;
}
