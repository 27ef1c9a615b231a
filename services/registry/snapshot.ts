import type { RouteStrategy } from '../../schema/tables/route.table.ts';
import type { BudgetDefinition } from '../../schema/values/budget.ts';
import type { BudgetExceededStatus } from '../../schema/values/budget-exceeded-status.ts';
import type { OutputCap, OutputLimitField } from '../../schema/values/output-cap.ts';
import type { ProviderProtocol } from '../../schema/values/provider-protocol.ts';
import type { RateLimitDefinition } from '../../schema/values/rate-limit.ts';
import type { KeyEnvironment, KeyKind } from '../../schema/values/virtual-key.ts';

/**
 * What a proxy knows: an immutable picture of the registry at one revision, swapped whole (DESIGN.md, "Admission").
 * It holds no secret in plaintext: keys are HMACs, credentials are references or sealed. It is what a proxy keeps on disk to
 * start without Postgres.
 */
export interface Snapshot {
  readonly revision: string;
  /** Epoch milliseconds by the database's clock when it was read; its age is a metric. */
  readonly readAtMs: number;
  readonly keys: readonly SnapshotKey[];
  readonly providers: readonly SnapshotProvider[];
  readonly models: readonly SnapshotModel[];
  readonly dataKeys: readonly SnapshotDataKey[];
  /** Oldest first. */
  readonly credentials: readonly SnapshotCredential[];
  readonly routes: readonly SnapshotRoute[];
  /** Those that are not archived, of every organization, by age. */
  readonly budgets: readonly SnapshotBudget[];
  /** Those that are not archived, of every organization, by age. */
  readonly rateLimits: readonly SnapshotRateLimit[];
  /** Those that selected what others have by default. */
  readonly organizations: readonly SnapshotOrganization[];
}

export interface SnapshotKey {
  /** `key_…`, `org_…`, … in text form, as events carry them. */
  readonly id: string;
  readonly organizationId: string;
  readonly teamId: string | null;
  readonly userId: string | null;
  readonly serviceAccountId: string | null;
  readonly kind: KeyKind;
  readonly environment: KeyEnvironment;
  readonly name: string;
  /** `provider/model` or `provider/*`; null = every model. */
  readonly allowedModels: readonly string[] | null;
  /** Paths such as `/v1/chat/completions`; null = every endpoint. */
  readonly allowedEndpoints: readonly string[] | null;
  /** Blocks of addresses; null = from everywhere. */
  readonly allowedCidrs: readonly string[] | null;
  /** What its requests may decide for themselves (schema/http/request-overrides.ts); null = nothing. */
  readonly allowedOverrides: readonly string[] | null;
  readonly tags: Readonly<Record<string, string>>;
  /** Epoch milliseconds; null = never. */
  readonly expiresAt: number | null;
  readonly disabledAt: number | null;
  readonly revokedAt: number | null;
  readonly secrets: readonly SnapshotSecret[];
}

export interface SnapshotSecret {
  /** HMAC-SHA-256 under the pepper, base64url. */
  readonly hash: string;
  /** The eight characters that may be shown and that find it in lists; empty where an older version kept the snapshot. */
  readonly publicPart: string;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}

export interface SnapshotProvider {
  readonly id: string;
  /** Whose it is; null = shared by the installation. */
  readonly organizationId: string | null;
  readonly name: string;
  readonly protocol: ProviderProtocol;
  /** Without a trailing slash; the endpoint's path is appended, by the rules of the protocol. */
  readonly baseUrl: string;
  /** Where the credential is: the name of an environment variable; null = none is sent. */
  readonly credential: { readonly env: string } | null;
  readonly options: ProviderOptions;
}

/** What may be set per provider; each has a default in the proxy. */
export interface ProviderOptions {
  readonly connectTimeoutMs?: number;
  /** Until the first byte of the answer. */
  readonly firstByteTimeoutMs?: number;
  /** Longest silence inside a stream. */
  readonly idleTimeoutMs?: number;
  readonly maxConnections?: number;
  /** What happens upstream when the client leaves a stream: `drain` reads on to the usage within bounds, `abort` cuts at once. */
  readonly onClientGone?: 'drain' | 'abort';
  /** How it wants to be told the limit of an answer. */
  readonly outputLimitField?: OutputLimitField;
  /** Of Azure's dated APIs, such as `2024-10-21`; only where the protocol is `azure-openai`. */
  readonly apiVersion?: string;
  /** Whether it serves the Responses API itself; only where the protocol is `openai`, of which OpenAI does and others may. */
  readonly servesResponses?: boolean;
}

export interface SnapshotModel {
  readonly id: string;
  /** `provider/model`. */
  readonly name: string;
  /** With {@link organizationId} this is one provider. */
  readonly providerName: string;
  /** Whose provider it is; null = shared by the installation. */
  readonly organizationId: string | null;
  readonly upstreamModel: string;
  readonly createdAt: number;
  readonly contextWindow: number | null;
  readonly maxOutputTokens: number | null;
  /** Price versions by time, oldest first; empty = unpriced, which is unrated and never free. */
  readonly prices: readonly { readonly validFrom: number; readonly priceVersion: string; readonly sheet: unknown }[];
  /** What single organizations pay instead, oldest first; a null version ends an organization's own price. */
  readonly ownPrices: readonly {
    readonly organizationId: string;
    readonly validFrom: number;
    readonly priceVersion: string | null;
    readonly sheet: unknown;
  }[];
}

/** The key an organization's credentials are sealed with, itself sealed (data-keys.ts). */
export interface SnapshotDataKey {
  /** uuid: it is named nowhere else. */
  readonly id: string;
  readonly organizationId: string;
  /** base64url. */
  readonly sealed: string;
}

/** What authorizes one organization with a provider, sealed (credential-secret.ts). */
export interface SnapshotCredential {
  readonly id: string;
  readonly organizationId: string;
  readonly providerId: string;
  readonly dataKeyId: string;
  /** base64url. */
  readonly sealed: string;
}

/** An organization's own name for one or more models. */
export interface SnapshotRoute {
  readonly id: string;
  readonly organizationId: string;
  readonly name: string;
  readonly strategy: RouteStrategy;
  readonly createdAt: number;
  /** null: the model's own limit. */
  readonly outputCap: OutputCap | null;
  /** By position. */
  readonly targets: readonly { readonly modelId: string; readonly weight: number; readonly credentialId: string | null }[];
}

export interface SnapshotBudget extends BudgetDefinition {
  /** `bud_…` */
  readonly id: string;
  readonly organizationId: string;
}

export interface SnapshotRateLimit extends RateLimitDefinition {
  /** `rlm_…` */
  readonly id: string;
  readonly organizationId: string;
}

/** What an organization selected for all of its requests. */
export interface SnapshotOrganization {
  readonly id: string;
  readonly budgetExceededStatus: BudgetExceededStatus;
}
