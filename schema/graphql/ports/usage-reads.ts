import type { TokenClass } from '../../values/token-usage.ts';

export type UsageInterval = 'MINUTE' | 'HOUR' | 'DAY';
export type UsageDimension = 'API_KEY' | 'TEAM' | 'USER' | 'SERVICE_ACCOUNT' | 'MODEL' | 'PROVIDER' | 'ROUTE' | 'OUTCOME' | 'TAG';
export type UsageRank = 'COST' | 'REQUESTS' | 'TOKENS';

/** What a report counts: every field narrows, null means any. Ids are uuids. */
export interface UsageFilter {
  readonly apiKeyIds: readonly string[] | null;
  readonly teamIds: readonly string[] | null;
  readonly userIds: readonly string[] | null;
  readonly serviceAccountIds: readonly string[] | null;
  readonly routeIds: readonly string[] | null;
  readonly providers: readonly string[] | null;
  readonly models: readonly string[] | null;
  readonly outcomes: readonly string[] | null;
  /** Only for an activated tag key, which alone has rollups. */
  readonly tag: { readonly key: string; readonly values: readonly string[] | null } | null;
}

export interface UsageQuestion {
  readonly filter: UsageFilter;
  /** Whole intervals in UTC. */
  readonly from: Date;
  readonly to: Date;
  readonly interval: UsageInterval;
  readonly groupBy: readonly UsageDimension[];
  /** The tag key of dimension TAG. */
  readonly tagKey: string | null;
  readonly topN: number;
  readonly rankBy: UsageRank;
}

/** Sums of rollups. Tokens are null where no provider reported any of that class. */
export interface UsageSums {
  readonly requests: bigint;
  readonly succeeded: bigint;
  readonly failed: bigint;
  readonly cancelled: bigint;
  readonly blocked: bigint;
  readonly rejected: bigint;
  readonly cached: bigint;
  readonly orphaned: bigint;
  readonly unratedRequests: bigint;
  readonly estimatedRequests: bigint;
  readonly streamedRequests: bigint;
  /** pico-USD of the rated requests. */
  readonly costPicoUsd: bigint;
  readonly tokens: { readonly [Class in TokenClass]: bigint | null };
  readonly firstByteHistogram: readonly bigint[];
  readonly totalHistogram: readonly bigint[];
}

/** Values of the dimensions asked for, in that order; null for the group that holds the rest. */
export type UsageGroupKey = readonly string[] | null;

/** Chart, table and total, from one statement: each adds up to the next. */
export interface UsageAnswer {
  readonly points: readonly { readonly bucket: Date; readonly group: UsageGroupKey; readonly sums: UsageSums }[];
  readonly buckets: readonly { readonly bucket: Date; readonly sums: UsageSums }[];
  readonly groups: readonly { readonly group: UsageGroupKey; readonly sums: UsageSums }[];
  readonly totals: UsageSums;
  /** Whether there were more groups than `topN`. */
  readonly truncated: boolean;
  /** Everything that was booked up to this instant is counted. */
  readonly dataThrough: Date;
}

/** Reads of the viewer's organization's rollups. */
export interface UsageReads {
  readonly report: (question: UsageQuestion) => Promise<UsageAnswer>;
}
