import type { ProviderProtocol } from '../../../schema/values/provider-protocol.ts';
import type { KeyLimits } from '../key-limits.ts';
import type { ProviderOptions } from '../snapshot.ts';

/**
 * Who owns the objects of a desired state. An owner's objects are read-only in GraphQL, and what it no longer names goes out of
 * use; it never touches another owner's.
 */
export type Owner = 'file' | 'environment' | 'simulator';

export interface DesiredProvider {
  readonly name: string;
  readonly protocol: ProviderProtocol;
  readonly baseUrl: string;
  readonly credential: { readonly env: string } | null;
  readonly options: ProviderOptions;
}

export interface DesiredModel {
  /** `provider/model`; the provider is one of this state's. */
  readonly name: string;
  readonly upstreamModel: string;
  readonly contextWindow: number | null;
  readonly maxOutputTokens: number | null;
  /** null = unpriced: its requests are booked as unrated. */
  readonly price: { readonly version: string; readonly sheet: unknown; readonly source: string } | null;
}

export interface DesiredKey extends KeyLimits {
  readonly name: string;
  readonly secret: string;
  readonly team: string | null;
  readonly allowedModels: readonly string[] | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly expiresAt: Date | null;
}

/** Everything one owner wants to exist. */
export interface DesiredState {
  readonly owner: Owner;
  readonly providers: readonly DesiredProvider[];
  readonly models: readonly DesiredModel[];
  readonly keys: readonly DesiredKey[];
}

/** How the owner's mark on a row reads, e.g. `file:Provider/acme`. */
export function ownershipMark(owner: Owner, kind: 'Provider' | 'Model' | 'Key', name: string): string {
  return `${owner}:${kind}/${name}`;
}
