import type { ChangeOutcome, ExpectingVersion, Idempotent } from './change-outcome.ts';
import type { ApiKeyRow } from './registry-reads.ts';

/** Adds the plaintext of a new secret, which exists in this answer only and never in a replay. */
export interface SecretOutcome extends ChangeOutcome<ApiKeyRow> {
  readonly secret: string | null;
}

export interface ApiKeyFields {
  readonly name: string;
  readonly teamId: string | null;
  readonly allowedModels: readonly string[] | null;
  readonly allowedEndpoints: readonly string[] | null;
  readonly allowedCidrs: readonly string[] | null;
  readonly allowedOverrides: readonly string[] | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly expiresAt: Date | null;
  readonly rotateEveryMs: number | null;
  readonly rotateWithinMs: number | null;
}

/** Changes of keys. Ids are uuids. */
export interface ApiKeyChanges {
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
  readonly apiKeyRotate: (
    input: Idempotent & { readonly id: string; readonly graceMs: number; readonly replaceNewest: boolean },
  ) => Promise<SecretOutcome>;
  readonly apiKeyEndGrace: (input: Idempotent & { readonly id: string }) => Promise<ChangeOutcome<ApiKeyRow>>;
  readonly apiKeyRevoke: (input: Idempotent & { readonly id: string; readonly reason: string | null }) => Promise<ChangeOutcome<ApiKeyRow>>;
  readonly apiKeyUpdate: (
    input: ExpectingVersion & Partial<ApiKeyFields> & { readonly disabled?: boolean },
  ) => Promise<ChangeOutcome<ApiKeyRow>>;
}
