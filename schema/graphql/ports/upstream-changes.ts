import type { OutputLimitField } from '../../values/output-cap.ts';
import type { ProviderProtocol } from '../../values/provider-protocol.ts';
import type { ChangeOutcome, ExpectingVersion, Idempotent } from './change-outcome.ts';

/** Bounds of calls to a provider; null: the proxy's own default. */
export interface ProviderSettings {
  readonly connectTimeoutMs: number | null;
  readonly firstByteTimeoutMs: number | null;
  readonly idleTimeoutMs: number | null;
  readonly maxConnections: number | null;
  readonly onClientGone: 'drain' | 'abort' | null;
  readonly outputLimitField: OutputLimitField | null;
  readonly apiVersion: string | null;
  readonly servesResponses: boolean | null;
}

/** Prices of one tier, as they are given: exactly one of both amounts, in pico-USD. */
export interface GivenPrices {
  readonly tier: string;
  readonly aboveInputTokens: number | null;
  readonly units: readonly { readonly unit: string; readonly usd: bigint | null; readonly usdPerMillion: bigint | null }[];
}

export interface ModelLimits {
  readonly upstreamModel: string | null;
  readonly contextWindow: bigint | null;
  readonly maxOutputTokens: bigint | null;
}

/** Changes of what the organization calls: its own providers, credentials, models and prices. Ids are uuids; rows are read again. */
export interface UpstreamChanges {
  readonly providerCreate: (
    input: Idempotent & {
      readonly name: string;
      readonly protocol: ProviderProtocol;
      readonly baseUrl: string | null;
      readonly settings: ProviderSettings;
    },
  ) => Promise<ChangeOutcome<null>>;
  readonly providerUpdate: (
    input: ExpectingVersion & {
      readonly protocol?: ProviderProtocol;
      readonly baseUrl?: string;
      readonly settings: Partial<ProviderSettings>;
    },
  ) => Promise<ChangeOutcome<null>>;
  readonly providerArchive: (input: ExpectingVersion) => Promise<ChangeOutcome<null>>;
  readonly providerCredentialCreate: (
    input: Idempotent & { readonly providerId: string; readonly name: string; readonly secret: string },
  ) => Promise<ChangeOutcome<null>>;
  readonly providerCredentialRotate: (
    input: Idempotent & { readonly id: string; readonly expectedVersion: number | null; readonly secret: string },
  ) => Promise<ChangeOutcome<null>>;
  readonly providerCredentialUpdate: (input: ExpectingVersion & { readonly name: string }) => Promise<ChangeOutcome<null>>;
  readonly providerCredentialRevoke: (input: ExpectingVersion) => Promise<ChangeOutcome<null>>;
  /** Calls the provider with the credential, bounded in time, and records whether it was let in. */
  readonly providerCredentialVerify: (input: Idempotent & { readonly id: string }) => Promise<ChangeOutcome<null>>;
  readonly modelCreate: (
    input: Idempotent & ModelLimits & { readonly providerId: string; readonly name: string; readonly price: readonly GivenPrices[] | null },
  ) => Promise<ChangeOutcome<null>>;
  readonly modelUpdate: (input: ExpectingVersion & Partial<ModelLimits>) => Promise<ChangeOutcome<null>>;
  readonly modelArchive: (input: ExpectingVersion) => Promise<ChangeOutcome<null>>;
  readonly priceOverrideSet: (
    input: Idempotent & { readonly modelId: string; readonly price: readonly GivenPrices[]; readonly validFrom: Date | null },
  ) => Promise<ChangeOutcome<null>>;
  readonly priceOverrideEnd: (
    input: Idempotent & { readonly modelId: string; readonly validFrom: Date | null },
  ) => Promise<ChangeOutcome<null>>;
}
