import type { ChangeOutcome, ExpectingVersion, Idempotent } from './change-outcome.ts';
import type { DeadLetterChanges } from './dead-letter-changes.ts';
import type { MemberChanges } from './member-changes.ts';
import type { ApiKeyRow, OrganizationRow, TeamRow } from './registry-reads.ts';
import type { RouteChanges } from './route-changes.ts';
import type { UpstreamChanges } from './upstream-changes.ts';

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

/** Changes by the viewer: one transaction each, with its audit event. Ids are uuids. */
export interface Changes extends UpstreamChanges, RouteChanges, MemberChanges, DeadLetterChanges {
  readonly organizationCreate: (
    input: Idempotent & { readonly slug: string; readonly name: string },
  ) => Promise<ChangeOutcome<OrganizationRow>>;
  readonly organizationUpdate: (input: ExpectingVersion & { readonly name: string }) => Promise<ChangeOutcome<OrganizationRow>>;
  readonly teamCreate: (input: Idempotent & { readonly name: string }) => Promise<ChangeOutcome<TeamRow>>;
  readonly teamUpdate: (input: ExpectingVersion & { readonly name: string }) => Promise<ChangeOutcome<TeamRow>>;
  readonly teamArchive: (input: ExpectingVersion) => Promise<ChangeOutcome<TeamRow>>;
  readonly apiKeyCreate: (
    input: Idempotent &
      ApiKeyFields & {
        readonly organizationId: string | null;
        readonly kind: 'ak' | 'adm' | 'sa';
        readonly serviceAccountId: string | null;
        readonly userId: string | null;
        readonly environment: 'live' | 'test';
        readonly permissions: readonly string[];
      },
  ) => Promise<SecretOutcome>;
  readonly apiKeyRotate: (input: Idempotent & { readonly id: string; readonly graceMs: number }) => Promise<SecretOutcome>;
  readonly apiKeyRevoke: (input: Idempotent & { readonly id: string; readonly reason: string | null }) => Promise<ChangeOutcome<ApiKeyRow>>;
  readonly apiKeyUpdate: (
    input: ExpectingVersion & Partial<ApiKeyFields> & { readonly disabled?: boolean },
  ) => Promise<ChangeOutcome<ApiKeyRow>>;
  readonly tagActivate: (input: Idempotent & { readonly tagKey: string }) => Promise<ChangeOutcome<null>>;
  readonly tagDeactivate: (input: Idempotent & { readonly tagKey: string }) => Promise<ChangeOutcome<null>>;
}
