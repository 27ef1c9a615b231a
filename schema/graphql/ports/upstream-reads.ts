import type { Selectable } from 'kysely';
import type { PriceVersionTable } from '../../tables/price-version.table.ts';
import type { ProviderCredentialTable } from '../../tables/provider-credential.table.ts';
import type { RouteTable } from '../../tables/route.table.ts';
import type { RouteTargetTable } from '../../tables/route-target.table.ts';
import type { ServiceAccountTable } from '../../tables/service-account.table.ts';
import type { UserTable } from '../../tables/user.table.ts';
import type { Page, PageRequest } from '../page.ts';
import type { ByIds } from './by-ids.ts';

/** What may be known of a credential: never the secret, nor what seals it. */
export type ProviderCredentialRow = Omit<Selectable<ProviderCredentialTable>, 'sealed' | 'data_key_id'>;
export type RouteRow = Selectable<RouteTable>;
export type RouteTargetRow = Selectable<RouteTargetTable>;
export type PriceVersionRow = Selectable<PriceVersionTable>;
export type ServiceAccountRow = Selectable<ServiceAccountTable>;
export type UserRow = Selectable<UserTable>;

interface Archivable {
  readonly includeArchived: boolean;
}

/** Reads of what the organization calls, in order of creation. */
export interface UpstreamReads {
  readonly credentialsById: ByIds<ProviderCredentialRow>;
  readonly credentials: (
    page: PageRequest,
    filter: Archivable & { readonly providerId: string | null },
  ) => Promise<Page<ProviderCredentialRow>>;
  readonly routesById: ByIds<RouteRow>;
  readonly routes: (page: PageRequest, filter: Archivable) => Promise<Page<RouteRow>>;
  /** By position. */
  readonly targetsOfRoutes: (routeIds: readonly string[]) => Promise<readonly (readonly RouteTargetRow[])[]>;
  /** By name, `pv_…`; only those that are the price of a model the organization sees. */
  readonly priceVersionsByName: ByIds<PriceVersionRow>;
}

/** Reads of who owns keys, in order of creation. */
export interface MemberReads {
  readonly serviceAccountsById: ByIds<ServiceAccountRow>;
  readonly serviceAccounts: (page: PageRequest, filter: Archivable) => Promise<Page<ServiceAccountRow>>;
  readonly usersById: ByIds<UserRow>;
  readonly users: (page: PageRequest, filter: Archivable) => Promise<Page<UserRow>>;
}
