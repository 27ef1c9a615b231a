import type { NodeName } from '../global-id.ts';
import type { ApiKeyRow, OrganizationRow, TeamRow } from './registry-reads.ts';

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

/** Adds the plaintext of a new secret, which exists in this answer only and never in a replay. */
export interface SecretOutcome extends ChangeOutcome<ApiKeyRow> {
  readonly secret: string | null;
}

export interface ApiKeyFields {
  readonly name: string;
  readonly teamId: string | null;
  readonly allowedModels: readonly string[] | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly expiresAt: Date | null;
}

interface Idempotent {
  readonly idempotencyKey: string;
}

interface Versioned {
  readonly id: string;
  readonly expectedVersion: number;
}

/** Changes by the viewer: one transaction each, with its audit event. Ids are uuids. */
export interface Changes {
  readonly organizationCreate: (
    input: Idempotent & { readonly slug: string; readonly name: string },
  ) => Promise<ChangeOutcome<OrganizationRow>>;
  readonly organizationUpdate: (input: Versioned & { readonly name: string }) => Promise<ChangeOutcome<OrganizationRow>>;
  readonly teamCreate: (input: Idempotent & { readonly name: string }) => Promise<ChangeOutcome<TeamRow>>;
  readonly teamUpdate: (input: Versioned & { readonly name: string }) => Promise<ChangeOutcome<TeamRow>>;
  readonly teamArchive: (input: Versioned) => Promise<ChangeOutcome<TeamRow>>;
  readonly apiKeyCreate: (
    input: Idempotent &
      ApiKeyFields & {
        readonly organizationId: string | null;
        readonly kind: 'ak' | 'adm';
        readonly environment: 'live' | 'test';
        readonly permissions: readonly string[];
      },
  ) => Promise<SecretOutcome>;
  readonly apiKeyRotate: (input: Idempotent & { readonly id: string; readonly graceMs: number }) => Promise<SecretOutcome>;
  readonly apiKeyRevoke: (input: Idempotent & { readonly id: string; readonly reason: string | null }) => Promise<ChangeOutcome<ApiKeyRow>>;
  readonly apiKeyUpdate: (input: Versioned & Partial<ApiKeyFields> & { readonly disabled?: boolean }) => Promise<ChangeOutcome<ApiKeyRow>>;
  readonly tagActivate: (input: Idempotent & { readonly tagKey: string }) => Promise<ChangeOutcome<null>>;
  readonly tagDeactivate: (input: Idempotent & { readonly tagKey: string }) => Promise<ChangeOutcome<null>>;
}
