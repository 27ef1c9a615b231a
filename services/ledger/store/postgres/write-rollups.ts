import type { Kysely } from 'kysely';
import { CompiledQuery } from 'kysely';
import type { Database } from '../../../../schema/tables/database.ts';
import { plainArray, textArray } from '../../../journal/sql-array.ts';
import { prepared } from '../../../runtime/postgres.ts';
import type { Dimensions, RollupGrain, RollupRow } from '../../rollups.ts';
import { dimensionNames, ROLLUP_GRAINS, tokenColumns } from '../../rollups.ts';

const counters = ['requests', 'unrated_requests', 'estimated_requests', 'streamed_requests'] as const;
const histograms = ['first_byte_histogram', 'total_histogram'] as const;
const uuidNames: ReadonlySet<string> = new Set(dimensionNames.filter((name) => name.endsWith('_id')));

const statements: Readonly<Record<RollupGrain, string>> = {
  minute: prepared(upsertStatement('usage_minute')),
  hour: prepared(upsertStatement('usage_hour')),
  day: prepared(upsertStatement('usage_day')),
};

/**
 * Adds sums to the stored rows: one statement a grain, one upsert a row, finest grain first and rows in key order, so that
 * batches of different processes lock in the same order and cannot deadlock.
 */
export async function writeRollups(trx: Kysely<Database>, rollups: Readonly<Record<RollupGrain, readonly RollupRow[]>>): Promise<void> {
  const grains = ROLLUP_GRAINS.filter((grain) => rollups[grain].length > 0);
  await Promise.all(grains.map((grain) => trx.executeQuery(CompiledQuery.raw(statements[grain], parameters(rollups[grain])))));
}

function upsertStatement(table: string): string {
  const columns = ['bucket', ...dimensionNames, ...counters, 'cost', ...tokenColumns, ...histograms];
  const types = [
    'timestamptz',
    ...dimensionNames.map((name) => (uuidNames.has(name) ? 'uuid' : 'text')),
    ...counters.map(() => 'bigint'),
    'numeric',
    ...tokenColumns.map(() => 'bigint'),
    ...histograms.map(() => 'text'),
  ];
  const cast = (name: string): string => (name.endsWith('_histogram') ? `${name}::bigint[]` : name);
  return `insert into ${table} as kept (${columns.join(', ')})
select ${columns.map(cast).join(', ')} from unnest(${types.map((type, index) => `$${index + 1}::${type}[]`).join(', ')}) as new (${columns.join(', ')})
on conflict (organization_id, bucket, ${dimensionNames.slice(1).join(', ')}) do update set
${[
  ...[...counters, 'cost'].map((name) => `${name} = kept.${name} + excluded.${name}`),
  ...tokenColumns.map((name) => `${name} = add_reported(kept.${name}, excluded.${name})`),
  ...histograms.map((name) => `${name} = add_histograms(kept.${name}, excluded.${name})`),
].join(',\n')}`;
}

function parameters(rows: readonly RollupRow[]): string[] {
  const dimension = (name: keyof Dimensions): string => {
    const values = rows.map((row) => row.dimensions[name]);
    return uuidNames.has(name) ? plainArray(values) : textArray(values);
  };
  return [
    plainArray(rows.map((row) => new Date(row.bucketMs).toISOString())),
    ...dimensionNames.map(dimension),
    plainArray(rows.map((row) => row.requests)),
    plainArray(rows.map((row) => row.unratedRequests)),
    plainArray(rows.map((row) => row.estimatedRequests)),
    plainArray(rows.map((row) => row.streamedRequests)),
    plainArray(rows.map((row) => row.cost)),
    ...tokenColumns.map((_, index) => plainArray(rows.map((row) => row.tokens[index] ?? null))),
    textArray(rows.map((row) => plainArray(row.firstByteHistogram))),
    textArray(rows.map((row) => plainArray(row.totalHistogram))),
  ];
}
