import type { Selectable } from 'kysely';
import type { RateLimitTable } from '../../tables/rate-limit.table.ts';
import type { BudgetKey } from '../../values/budget.ts';
import type { GivenRule, RateLimitDefinition, RateLimitPeriod, RateLimitUnit } from '../../values/rate-limit.ts';
import type { Page, PageRequest } from '../page.ts';
import type { ByIds } from './by-ids.ts';
import type { ChangeOutcome, ExpectingVersion, Idempotent } from './change-outcome.ts';

export type RateLimitRow = Selectable<RateLimitTable>;

/** Reads of one organization's rate limits, in order of creation. */
export interface RateLimitReads {
  readonly rateLimitsById: ByIds<RateLimitRow>;
  readonly rateLimits: (page: PageRequest, filter: { readonly includeArchived: boolean }) => Promise<Page<RateLimitRow>>;
}

/** A rate limit as it is asked for. */
export type RateLimitFields = { readonly name: string } & Omit<RateLimitDefinition, 'limits'> & {
    readonly limits: readonly GivenRule[];
  };

/** Changes of rate limits. Ids are uuids. */
export interface RateLimitChanges {
  readonly rateLimitCreate: (input: Idempotent & RateLimitFields) => Promise<ChangeOutcome<null>>;
  readonly rateLimitUpdate: (input: ExpectingVersion & Partial<RateLimitFields>) => Promise<ChangeOutcome<null>>;
  readonly rateLimitArchive: (input: ExpectingVersion) => Promise<ChangeOutcome<null>>;
}

/** One limit that counts requests of a key, for one group, in the window that runs. Amounts are in the limit's unit; what was never used is 0. */
export interface RateLimitStateRow {
  /** uuid */
  readonly rateLimitId: string;
  readonly unit: RateLimitUnit;
  /** Null: at once. */
  readonly per: RateLimitPeriod | null;
  /** Counts only those that have no part in the reserve. */
  readonly isCommon: boolean;
  readonly groupBy: readonly BudgetKey[];
  /** In the order of `groupBy`; null: too long to be kept. */
  readonly group: readonly (string | null)[] | null;
  readonly amount: bigint;
  readonly settled: bigint;
  readonly held: bigint;
  /** Null where it is shared. */
  readonly endsAt: Date | null;
  /** Null where it is counted. */
  readonly shares: RateLimitShares | null;
  readonly asOf: Date;
}

/** What proxies have of a limit that is shared, in its unit. */
export interface RateLimitShares {
  readonly proxies: number;
  readonly given: bigint;
  readonly used: bigint;
  readonly errorBound: bigint;
}

/** Reads of how rate limits stand. */
export interface RateLimitStateReads {
  /** For each key at most `first` limits that count its requests, by age of the rate limit. */
  readonly rateLimitStates: (apiKeyIds: readonly string[], first: number) => Promise<readonly (readonly RateLimitStateRow[])[]>;
}
