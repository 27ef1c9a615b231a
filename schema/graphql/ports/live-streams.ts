import type { Permission } from '../permission.ts';
import type { EntryRow } from './journal-reads.ts';
import type { RequestFilter } from './request-filter.ts';
import type { UsageAnswer, UsageDimension, UsageFilter } from './usage-reads.ts';

export type GapReason = 'EXPIRED' | 'EPOCH_CHANGED' | 'SLOW_CONSUMER';
export type EndReason = 'AUTH_REVOKED' | 'TOKEN_EXPIRED' | 'SERVER_DRAIN' | 'SLOW_CONSUMER';

/** The same three in every stream (reference/graphql.md section 2). */
export type StreamControl =
  | { readonly kind: 'heartbeat'; readonly cursor: string; readonly at: Date; readonly lagMs: number }
  | {
      readonly kind: 'gap';
      readonly from: string | null;
      readonly to: string;
      readonly reason: GapReason;
      readonly dropped: bigint | null;
      readonly refetch: boolean;
    }
  | { readonly kind: 'end'; readonly reason: EndReason; readonly resumeAfter: string | null; readonly retryAfterMs: number | null };

/** A request that was booked. */
export interface RequestEvent {
  readonly kind: 'request';
  readonly cursor: string;
  readonly position: bigint;
  readonly entry: EntryRow;
}

/** Usage since `since`, as booked at `position`: cumulative, so that a lost tick loses nothing. */
export interface UsageTick {
  readonly kind: 'usage';
  readonly cursor: string;
  readonly position: bigint;
  readonly since: Date;
  readonly at: Date;
  readonly groupBy: readonly UsageDimension[];
  readonly answer: UsageAnswer;
}

/** What `changes` can be asked for. */
export type ChangedType =
  | 'ORGANIZATION'
  | 'TEAM'
  | 'API_KEY'
  | 'PROVIDER'
  | 'PROVIDER_CREDENTIAL'
  | 'MODEL'
  | 'ROUTE'
  | 'SERVICE_ACCOUNT'
  | 'USER'
  | 'TAG';

/** Something that was changed; `id` in text form, as the audit event has it. */
export interface ChangedObject {
  readonly type: ChangedType;
  readonly id: string;
}

/** A change of the configuration, as its audit event says. */
export interface ChangeEvent {
  readonly kind: 'change';
  readonly cursor: string;
  readonly position: bigint;
  /** Those of the types asked for, the one it is about first; at least one. */
  readonly objects: readonly ChangedObject[];
  readonly action: string;
  readonly at: Date;
  /** uuid. */
  readonly auditEventId: string;
}

/** A threshold of a budget that was come to. */
export interface BudgetAlertEvent {
  readonly kind: 'alert';
  readonly cursor: string;
  readonly position: bigint;
  /** uuid. */
  readonly alertId: string;
}

/** Streams of the viewer's organization, fed from its sequenced journal. Returning the iterator ends the subscription. */
export interface LiveStreams {
  readonly requestTail: (input: {
    readonly filter: RequestFilter;
    readonly sampleRate: number;
    readonly after: string | null;
  }) => Promise<AsyncIterableIterator<RequestEvent | StreamControl>>;
  readonly usageTicks: (input: {
    readonly filter: UsageFilter;
    readonly groupBy: readonly UsageDimension[];
    readonly tagKey: string | null;
    readonly intervalMs: number;
    readonly after: string | null;
  }) => Promise<AsyncIterableIterator<UsageTick | StreamControl>>;
  readonly changes: (input: {
    readonly types: readonly ChangedType[];
    /** Each is needed for as long as the stream lives. */
    readonly permissions: readonly Permission[];
    /** What cursors of this stream are good for: the types as they were asked for, null for all. */
    readonly identity: readonly ChangedType[] | null;
    readonly after: string | null;
  }) => Promise<AsyncIterableIterator<ChangeEvent | StreamControl>>;
  readonly budgetAlerts: (input: { readonly after: string | null }) => Promise<AsyncIterableIterator<BudgetAlertEvent | StreamControl>>;
}
