import type { NodeName } from '../global-id.ts';

/** Why a change was refused; each is a type of the schema of its own. */
export type ChangeErrorCode =
  | 'VERSION_CONFLICT'
  | 'NOT_FOUND'
  | 'INVALID_INPUT'
  | 'NAME_TAKEN'
  | 'MANAGED_BY_FILE'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'IDEMPOTENCY_IN_PROGRESS';

export interface ChangeError {
  readonly code: ChangeErrorCode;
  readonly message: string;
  /** The offending input field, outermost first. */
  readonly path: readonly string[];
  /** What the object is now, for a conflict. */
  readonly current: { readonly type: NodeName; readonly id: string } | null;
}

/** How a change ended: an entity and an audit event, or errors. */
export interface ChangeOutcome<Row> {
  /** uuid of what was changed; null where it was refused. */
  readonly entityId: string | null;
  /** The row as it is after the change; null for a replay, which reads it again. */
  readonly row: Row | null;
  readonly errors: readonly ChangeError[];
  /** True where this is the answer to an earlier request with the same idempotency key. */
  readonly replayed: boolean;
  /** uuid; null where nothing had to change. */
  readonly auditEventId: string | null;
  /** A stream that resumes from it sees this change and all that come after it. */
  readonly cursor: string | null;
}

/** The same key gives the same answer for 48 hours. */
export interface Idempotent {
  readonly idempotencyKey: string;
}

/** Refused where the object moved on from the version that was read. */
export interface ExpectingVersion {
  readonly id: string;
  readonly expectedVersion: number;
}
