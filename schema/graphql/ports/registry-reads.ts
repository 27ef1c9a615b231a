import type { Selectable } from 'kysely';
import type { ActivatedTagTable } from '../../tables/activated-tag.table.ts';
import type { ApiKeyTable } from '../../tables/api-key.table.ts';
import type { ApiKeySecretTable } from '../../tables/api-key-secret.table.ts';
import type { ModelTable } from '../../tables/model.table.ts';
import type { ModelPriceTable } from '../../tables/model-price.table.ts';
import type { OrganizationTable } from '../../tables/organization.table.ts';
import type { ProviderTable } from '../../tables/provider.table.ts';
import type { TeamTable } from '../../tables/team.table.ts';
import type { Page, PageRequest } from '../page.ts';
import type { AlertChannelReads } from './alert-channels.ts';
import type { BudgetReads } from './budgets.ts';
import type { ByIds } from './by-ids.ts';
import type { RateLimitReads, RateLimitStateReads } from './rate-limits.ts';
import type { MemberReads, UpstreamReads } from './upstream-reads.ts';

export type OrganizationRow = Selectable<OrganizationTable>;
export type TeamRow = Selectable<TeamTable>;
export type ApiKeyRow = Selectable<ApiKeyTable>;
/** What may be shown of a secret. */
export type ApiKeySecretRow = Omit<Selectable<ApiKeySecretTable>, 'hash' | 'hash_version'> & { readonly is_newest: boolean };
/** Without the name of the variable that holds its credential. */
export type ProviderRow = Omit<Selectable<ProviderTable>, 'credential'> & { readonly has_credential: boolean };
export type ModelRow = Selectable<ModelTable>;
export type ActivatedTagRow = Selectable<ActivatedTagTable>;
export type ModelPriceRow = Selectable<ModelPriceTable> & { readonly price_version: string; readonly sheet: unknown };

export interface ApiKeyFilter {
  readonly teamId: string | null;
  readonly kind: string | null;
  /** true leaves out keys whose next secret is not due. */
  readonly isRotationDue: boolean;
  readonly serviceAccountId: string | null;
  readonly userId: string | null;
  /** false leaves out revoked keys. */
  readonly includeRevoked: boolean;
}

export interface ModelFilter {
  readonly provider: string | null;
  readonly search: string | null;
  readonly isPriced: boolean | null;
}

/** Reads of the registry within the viewer's organization. Lists are in order of creation, models by name. */
export interface RegistryReads extends UpstreamReads, MemberReads, BudgetReads, AlertChannelReads, RateLimitReads, RateLimitStateReads {
  readonly organizationsById: ByIds<OrganizationRow>;
  readonly organizationBySlug: (slug: string) => Promise<OrganizationRow | null>;
  /** Every organization of the installation: only for who may administer it. */
  readonly organizations: (page: PageRequest) => Promise<Page<OrganizationRow>>;
  readonly teamsById: ByIds<TeamRow>;
  readonly teams: (page: PageRequest, includeArchived: boolean) => Promise<Page<TeamRow>>;
  /** Counts stop at one beyond the cap: that is all a capped count has to know. */
  readonly countTeams: (includeArchived: boolean, cap: number) => Promise<number>;
  readonly apiKeysById: ByIds<ApiKeyRow>;
  readonly apiKeys: (page: PageRequest, filter: ApiKeyFilter) => Promise<Page<ApiKeyRow>>;
  readonly countApiKeys: (filter: ApiKeyFilter, cap: number) => Promise<number>;
  readonly secretsOfKeys: (apiKeyIds: readonly string[]) => Promise<readonly (readonly ApiKeySecretRow[])[]>;
  /** When each key was last used; null = never. */
  readonly lastUsesOfKeys: (apiKeyIds: readonly string[]) => Promise<readonly (Date | null)[]>;
  readonly providersById: ByIds<ProviderRow>;
  readonly providers: (page: PageRequest) => Promise<Page<ProviderRow>>;
  readonly modelsById: ByIds<ModelRow>;
  readonly models: (page: PageRequest, filter: ModelFilter) => Promise<Page<ModelRow>>;
  readonly countModels: (filter: ModelFilter, cap: number) => Promise<number>;
  /** The price that holds for each model at an instant: the organization's own where it has one, else the shared one. */
  readonly pricesOfModels: (modelIds: readonly string[], at: Date) => Promise<readonly (ModelPriceRow | null)[]>;
  readonly activatedTags: () => Promise<readonly ActivatedTagRow[]>;
}
