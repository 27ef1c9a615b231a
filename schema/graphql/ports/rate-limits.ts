import type { Selectable } from 'kysely';
import type { RateLimitTable } from '../../tables/rate-limit.table.ts';
import type { GivenRule, RateLimitDefinition } from '../../values/rate-limit.ts';
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
