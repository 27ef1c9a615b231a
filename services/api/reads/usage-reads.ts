import type { RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type {
  UsageAnswer,
  UsageDimension,
  UsageInterval,
  UsageQuestion,
  UsageRank,
  UsageReads,
  UsageSums,
} from '../../../schema/graphql/ports/usage-reads.ts';
import { HISTOGRAM_BUCKETS } from '../../../schema/values/latency-histogram.ts';
import type { TenantRead } from './tenant-read.ts';

const tables: Readonly<Record<UsageInterval, string>> = { MINUTE: 'usage_minute', HOUR: 'usage_hour', DAY: 'usage_day' };
const dimensionColumns: Readonly<Record<UsageDimension, string>> = {
  API_KEY: 'api_key_id::text',
  TEAM: 'team_id::text',
  USER: 'user_id::text',
  SERVICE_ACCOUNT: 'service_account_id::text',
  PROVIDER: 'provider',
  MODEL: 'model',
  ROUTE: 'route_id::text',
  OUTCOME: 'outcome',
  TAG: 'tag_value',
};
const tokenColumns = [
  'tokens_input',
  'tokens_cache_read',
  'tokens_cache_write_5m',
  'tokens_cache_write_1h',
  'tokens_input_audio',
  'tokens_input_image',
  'tokens_output',
  'tokens_reasoning',
  'tokens_output_audio',
  'tokens_output_image',
] as const;
const outcomes = ['succeeded', 'failed', 'cancelled', 'blocked', 'rejected', 'cached', 'orphaned'] as const;
const plainCounts = ['requests', 'unrated_requests', 'estimated_requests', 'streamed_requests', 'cost'] as const;
const histograms = ['first_byte_histogram', 'total_histogram'] as const;

/** A null sum of tokens means that nothing was reported, and ranks as nothing. */
const rankExpressions: Readonly<Record<UsageRank, string>> = {
  COST: 'sum(cost)',
  REQUESTS: 'sum(requests)',
  TOKENS: `coalesce(${tokenColumns.map((column) => `coalesce(sum(${column}), 0)`).join(' + ')}, 0)`,
};

const elements = Array.from({ length: HISTOGRAM_BUCKETS }, (_none, index) => index + 1);
/** Histograms add up element by element; written out, since SQL has no aggregate for it. */
const sumHistogram = (column: string): string => `array[${elements.map((index) => `sum(${column}[${index}])`).join(', ')}]`;
const sums = [
  ...[...plainCounts, ...outcomes, ...tokenColumns].map((column) => `sum(${column}) as ${column}`),
  ...histograms.map((column) => `${sumHistogram(column)} as ${column}`),
].join(',\n');
const rollupSums = [
  ...[...plainCounts, ...tokenColumns].map((column) => `sum(${column}) as ${column}`),
  ...outcomes.map((outcome) => `coalesce(sum(requests) filter (where outcome = '${outcome}'), 0) as ${outcome}`),
  ...histograms.map((column) => `${sumHistogram(column)} as ${column}`),
].join(',\n');

type Sums = { readonly [Column in (typeof plainCounts)[number] | (typeof outcomes)[number]]: bigint | null } & {
  readonly [Column in (typeof tokenColumns)[number]]: bigint | null;
} & { readonly [Column in (typeof histograms)[number]]: readonly (bigint | null)[] };

interface Row extends Sums {
  readonly is_total: boolean;
  readonly bucket: Date | null;
  readonly grouped: boolean;
  readonly first: string | null;
  readonly second: string | null;
  readonly is_other: boolean | null;
  readonly groups_found: bigint;
  readonly data_through: Date;
}

function conditionsOf({ filter, from, to, tagKey }: UsageQuestion, organizationId: string): RawBuilder<boolean>[] {
  const any = (column: string, type: 'uuid' | 'text', values: readonly string[] | null): RawBuilder<boolean>[] =>
    values === null ? [] : [sql`${sql.ref(column)} = any(${[...values]}::${sql.raw(type)}[])`];
  return [
    sql`organization_id = ${organizationId}`,
    sql`bucket >= ${from}`,
    sql`bucket < ${to}`,
    // '' counts every request; another key counts every request too, split by that tag.
    sql`tag_key = ${tagKey ?? filter.tag?.key ?? ''}`,
    ...any('api_key_id', 'uuid', filter.apiKeyIds),
    ...any('team_id', 'uuid', filter.teamIds),
    ...any('user_id', 'uuid', filter.userIds),
    ...any('service_account_id', 'uuid', filter.serviceAccountIds),
    ...any('route_id', 'uuid', filter.routeIds),
    ...any('provider', 'text', filter.providers),
    ...any('model', 'text', filter.models),
    ...any('outcome', 'text', filter.outcomes),
    ...any('tag_value', 'text', filter.tag?.values ?? null),
    ...(filter.tag !== null && filter.tag.values === null ? [sql<boolean>`tag_value <> ''`] : []),
  ];
}

/**
 * One statement for chart, table and total, so that they cannot disagree: rollup rows are summed by bucket and group, groups
 * beyond the `topN` become one, and the three are sums of those same rows (DESIGN.md, invariant 11).
 */
function reportQuery(question: UsageQuestion, organizationId: string): RawBuilder<Row> {
  const [first = null, second = null] = question.groupBy;
  const column = (dimension: UsageDimension | null): string => (dimension === null ? `''` : dimensionColumns[dimension]);
  return sql<Row>`
    with point as materialized (
      select bucket, ${sql.raw(column(first))} as first, ${sql.raw(column(second))} as second, ${sql.raw(rollupSums)}
      from ${sql.table(tables[question.interval])}
      where ${sql.join(conditionsOf(question, organizationId), sql` and `)}
      group by 1, 2, 3
    ), ranked as (
      select first, second, row_number() over (order by ${sql.raw(rankExpressions[question.rankBy])} desc, first, second) as rank
      from point group by first, second
    ), labelled as (
      select point.*, ranked.rank > ${question.topN} as is_other,
        case when ranked.rank <= ${question.topN} then point.first end as group_first,
        case when ranked.rank <= ${question.topN} then point.second end as group_second,
        least(ranked.rank, ${question.topN} + 1) as group_rank
      from point join ranked using (first, second)
    )
    select grouping(bucket) = 1 and grouping(group_rank) = 1 as is_total, bucket, grouping(group_rank) = 0 as grouped,
      group_first as first, group_second as second, is_other,
      (select count(*) from ranked) as groups_found,
      coalesce((select sequenced_at from journal_positions where organization_id = ${organizationId} order by position desc limit 1),
        statement_timestamp()) as data_through,
      ${sql.raw(sums)}
    from labelled
    group by grouping sets ((bucket, group_rank, is_other, group_first, group_second), (group_rank, is_other, group_first, group_second), (bucket), ())
    order by is_total desc, group_rank nulls first, bucket nulls first`;
}

function sumsOf(row: Sums): UsageSums {
  const histogram = (column: (typeof histograms)[number]): bigint[] => row[column].map((count) => count ?? 0n);
  return {
    requests: row.requests ?? 0n,
    succeeded: row.succeeded ?? 0n,
    failed: row.failed ?? 0n,
    cancelled: row.cancelled ?? 0n,
    blocked: row.blocked ?? 0n,
    rejected: row.rejected ?? 0n,
    cached: row.cached ?? 0n,
    orphaned: row.orphaned ?? 0n,
    unratedRequests: row.unrated_requests ?? 0n,
    estimatedRequests: row.estimated_requests ?? 0n,
    streamedRequests: row.streamed_requests ?? 0n,
    costPicoUsd: row.cost ?? 0n,
    tokens: {
      input: row.tokens_input,
      cacheRead: row.tokens_cache_read,
      cacheWrite5m: row.tokens_cache_write_5m,
      cacheWrite1h: row.tokens_cache_write_1h,
      inputAudio: row.tokens_input_audio,
      inputImage: row.tokens_input_image,
      output: row.tokens_output,
      reasoning: row.tokens_reasoning,
      outputAudio: row.tokens_output_audio,
      outputImage: row.tokens_output_image,
    },
    firstByteHistogram: histogram('first_byte_histogram'),
    totalHistogram: histogram('total_histogram'),
  };
}

function answerOf(rows: readonly Row[], question: UsageQuestion): UsageAnswer {
  const width = question.groupBy.length;
  const groupOf = (row: Row): readonly string[] | null =>
    row.is_other === true ? null : [row.first ?? '', row.second ?? ''].slice(0, width);
  const total = rows.find((row) => row.is_total);
  // Grouping sets without any input row still give the total; without it there would be nothing to say.
  if (total === undefined) throw new Error('the usage report has no total');
  const points: UsageAnswer['points'][number][] = [];
  const buckets: UsageAnswer['buckets'][number][] = [];
  const groups: UsageAnswer['groups'][number][] = [];
  for (const row of rows) {
    if (row.is_total) continue;
    const sums = sumsOf(row);
    if (row.bucket === null) groups.push({ group: groupOf(row), sums });
    else if (row.grouped) points.push({ bucket: row.bucket, group: groupOf(row), sums });
    else buckets.push({ bucket: row.bucket, sums });
  }
  return {
    points,
    buckets,
    groups,
    totals: sumsOf(total),
    truncated: total.groups_found > BigInt(question.topN),
    dataThrough: total.data_through,
  };
}

/** How long a report may take (reference/graphql.md section 4). */
const reportTimeoutMs = 8_000;

/** Reads of one organization's rollups. */
export function createUsageReads(read: TenantRead, organizationId: string): UsageReads {
  return {
    report: (question) =>
      read(async (trx) => {
        await sql`select set_config('statement_timeout', ${String(reportTimeoutMs)}, true)`.execute(trx);
        const { rows } = await reportQuery(question, organizationId).execute(trx);
        return answerOf(rows, question);
      }),
  };
}
