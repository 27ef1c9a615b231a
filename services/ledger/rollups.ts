import { bucketOf, HISTOGRAM_BUCKETS } from '../../schema/values/latency-histogram.ts';
import type { LedgerEntryInsert } from '../journal/entry-columns.ts';

export const ROLLUP_GRAINS = ['minute', 'hour', 'day'] as const;
export type RollupGrain = (typeof ROLLUP_GRAINS)[number];

/** Length of a grain's buckets; they begin at multiples of it since the epoch, which are UTC minutes, hours and days. */
const grainMs: Readonly<Record<RollupGrain, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** Stands for a dimension that an entry does not have, because a primary key knows no null. */
export const nilUuid = '00000000-0000-0000-0000-000000000000';

/** What a rollup row is the sum of; the order is the primary key's. */
export const dimensionNames = [
  'organization_id',
  'tag_key',
  'api_key_id',
  'team_id',
  'user_id',
  'service_account_id',
  'provider',
  'model',
  'route_id',
  'outcome',
  'tag_value',
] as const;
export type Dimensions = Readonly<Record<(typeof dimensionNames)[number], string>>;

export const tokenColumns = [
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

/** Sums of some entries that share bucket and dimensions; what is to be added to the stored row. */
export type RollupRow = {
  readonly dimensions: Dimensions;
  /** Start of the bucket in epoch milliseconds. */
  readonly bucketMs: number;
  /** Orders rows alike in every process, so that concurrent batches lock them in the same order. */
  readonly key: string;
  requests: number;
  unratedRequests: number;
  estimatedRequests: number;
  streamedRequests: number;
  cost: bigint;
  /** In the order of {@link tokenColumns}; null = no entry reported any. */
  readonly tokens: (bigint | null)[];
  readonly firstByteHistogram: number[];
  readonly totalHistogram: number[];
};

/** Activated tag keys by organization (uuid). */
export type ActivatedTags = ReadonlyMap<string, readonly string[]>;

/**
 * Sums entries by bucket and dimensions in each grain, rows in key order. Every entry counts once in the row without a tag
 * key and once for each activated tag key of its organization, with an empty value where it does not carry the tag.
 */
export function rollUp(entries: readonly LedgerEntryInsert[], activatedTags: ActivatedTags): Readonly<Record<RollupGrain, RollupRow[]>> {
  const minutes: Rows = new Map();
  for (const entry of entries) {
    addEntry(minutes, entry, '', '');
    for (const tagKey of activatedTags.get(entry.organization_id) ?? []) addEntry(minutes, entry, tagKey, tagValue(entry, tagKey));
  }
  const hours = coarser(minutes, 'hour');
  const days = coarser(hours, 'day');
  return { minute: inKeyOrder(minutes), hour: inKeyOrder(hours), day: inKeyOrder(days) };
}

/**
 * Rows by what tells most of them apart, an API key (with a tag and its value) and the start of the bucket; the few of a group are told
 * apart by looking. A text of all dimensions as key would cost more for each entry than everything that is added up.
 */
type Rows = Map<string, Map<number, RollupRow[]>>;

function addEntry(rows: Rows, entry: LedgerEntryInsert, tagKey: string, tagValue: string): void {
  const dimensions: Dimensions = {
    organization_id: entry.organization_id,
    tag_key: tagKey,
    api_key_id: entry.api_key_id,
    team_id: entry.team_id ?? nilUuid,
    user_id: entry.user_id ?? nilUuid,
    service_account_id: entry.service_account_id ?? nilUuid,
    provider: entry.provider ?? '',
    model: entry.model ?? '',
    route_id: entry.route_id ?? nilUuid,
    outcome: entry.outcome,
    tag_value: tagValue,
  };
  const row = rowOf(rows, dimensions, bucketStart(entry.occurred_at.getTime(), 'minute'));
  row.requests += 1;
  if (entry.cost === null) row.unratedRequests += 1;
  else row.cost += entry.cost;
  if (entry.usage_source === 'estimated') row.estimatedRequests += 1;
  if (entry.stream) row.streamedRequests += 1;
  let index = 0;
  for (const column of tokenColumns) {
    row.tokens[index] = addReported(row.tokens[index] ?? null, entry[column]);
    index += 1;
  }
  if (entry.first_byte_ms !== null) count(row.firstByteHistogram, bucketOf(entry.first_byte_ms), 1);
  if (entry.total_ms !== null) count(row.totalHistogram, bucketOf(entry.total_ms), 1);
}

/** A tag may be named like something every object inherits, such as `constructor`. */
function tagValue(entry: LedgerEntryInsert, tagKey: string): string {
  return Object.hasOwn(entry.tags, tagKey) ? (entry.tags[tagKey] ?? '') : '';
}

function coarser(finer: Rows, grain: RollupGrain): Rows {
  const rows: Rows = new Map();
  for (const part of each(finer)) {
    const row = rowOf(rows, part.dimensions, bucketStart(part.bucketMs, grain));
    row.requests += part.requests;
    row.unratedRequests += part.unratedRequests;
    row.estimatedRequests += part.estimatedRequests;
    row.streamedRequests += part.streamedRequests;
    row.cost += part.cost;
    for (const [index, tokens] of part.tokens.entries()) row.tokens[index] = addReported(row.tokens[index] ?? null, tokens);
    addHistogram(row.firstByteHistogram, part.firstByteHistogram);
    addHistogram(row.totalHistogram, part.totalHistogram);
  }
  return rows;
}

function rowOf(rows: Rows, dimensions: Dimensions, bucketMs: number): RollupRow {
  // No dimension holds NUL, since PostgreSQL's text cannot.
  const holder =
    dimensions.tag_key === '' ? dimensions.api_key_id : `${dimensions.api_key_id}\0${dimensions.tag_key}\0${dimensions.tag_value}`;
  let buckets = rows.get(holder);
  if (buckets === undefined) {
    buckets = new Map();
    rows.set(holder, buckets);
  }
  let group = buckets.get(bucketMs);
  if (group === undefined) {
    group = [];
    buckets.set(bucketMs, group);
  }
  for (const row of group) if (isSame(row.dimensions, dimensions)) return row;
  const row: RollupRow = {
    dimensions,
    bucketMs,
    key: `${dimensions.organization_id}\0${bucketMs}\0${dimensionNames
      .slice(1)
      .map((name) => dimensions[name])
      .join('\0')}`,
    requests: 0,
    unratedRequests: 0,
    estimatedRequests: 0,
    streamedRequests: 0,
    cost: 0n,
    tokens: tokenColumns.map(() => null),
    firstByteHistogram: new Array<number>(HISTOGRAM_BUCKETS).fill(0),
    totalHistogram: new Array<number>(HISTOGRAM_BUCKETS).fill(0),
  };
  group.push(row);
  return row;
}

/** Of rows of one key, tag and value. Field by field: in a loop over names this is the dearest line of a batch. */
function isSame(left: Dimensions, right: Dimensions): boolean {
  return (
    left.model === right.model &&
    left.provider === right.provider &&
    left.outcome === right.outcome &&
    left.route_id === right.route_id &&
    left.team_id === right.team_id &&
    left.user_id === right.user_id &&
    left.service_account_id === right.service_account_id &&
    left.organization_id === right.organization_id
  );
}

function* each(rows: Rows): Generator<RollupRow> {
  for (const buckets of rows.values()) for (const group of buckets.values()) yield* group;
}

function inKeyOrder(rows: Rows): RollupRow[] {
  return [...each(rows)].sort((left, right) => (left.key < right.key ? -1 : 1));
}

function bucketStart(timeMs: number, grain: RollupGrain): number {
  return Math.floor(timeMs / grainMs[grain]) * grainMs[grain];
}

function addReported(sum: bigint | null, tokens: bigint | null): bigint | null {
  if (tokens === null) return sum;
  return sum === null ? tokens : sum + tokens;
}

function addHistogram(histogram: number[], part: readonly number[]): void {
  for (let bucket = 0; bucket < part.length; bucket++) count(histogram, bucket, part[bucket] ?? 0);
}

function count(histogram: number[], bucket: number, by: number): void {
  histogram[bucket] = (histogram[bucket] ?? 0) + by;
}
