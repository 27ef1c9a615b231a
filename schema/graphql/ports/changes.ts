import type { BudgetExceededStatus } from '../../values/budget-exceeded-status.ts';
import type { AlertChannelChanges } from './alert-channels.ts';
import type { ApiKeyChanges } from './api-key-changes.ts';
import type { BudgetChanges } from './budgets.ts';
import type { ChangeOutcome, ExpectingVersion, Idempotent } from './change-outcome.ts';
import type { DeadLetterChanges } from './dead-letter-changes.ts';
import type { LeaseChanges } from './lease-changes.ts';
import type { MemberChanges } from './member-changes.ts';
import type { RateLimitChanges } from './rate-limits.ts';
import type { OrganizationRow, TeamRow } from './registry-reads.ts';
import type { RouteChanges } from './route-changes.ts';
import type { UpstreamChanges } from './upstream-changes.ts';

/** Changes by the viewer: one transaction each, with its audit event. Ids are uuids. */
export interface Changes
  extends AlertChannelChanges,
    ApiKeyChanges,
    BudgetChanges,
    LeaseChanges,
    RateLimitChanges,
    UpstreamChanges,
    RouteChanges,
    MemberChanges,
    DeadLetterChanges {
  readonly organizationCreate: (
    input: Idempotent & { readonly slug: string; readonly name: string },
  ) => Promise<ChangeOutcome<OrganizationRow>>;
  readonly organizationUpdate: (
    input: ExpectingVersion & { readonly name?: string; readonly budgetExceededStatus?: BudgetExceededStatus },
  ) => Promise<ChangeOutcome<OrganizationRow>>;
  readonly teamCreate: (input: Idempotent & { readonly name: string }) => Promise<ChangeOutcome<TeamRow>>;
  readonly teamUpdate: (input: ExpectingVersion & { readonly name: string }) => Promise<ChangeOutcome<TeamRow>>;
  readonly teamArchive: (input: ExpectingVersion) => Promise<ChangeOutcome<TeamRow>>;
  readonly tagActivate: (input: Idempotent & { readonly tagKey: string }) => Promise<ChangeOutcome<null>>;
  readonly tagDeactivate: (input: Idempotent & { readonly tagKey: string }) => Promise<ChangeOutcome<null>>;
}
