import { GatewayError } from '../../../schema/errors.ts';
import { idFromUuid, uuidFromId } from '../../../schema/values/ids.ts';
import type { PriceSheet } from '../../pricing/price-sheet.ts';
import { catalogOf } from '../../registry/catalog/build-catalogs.ts';
import type { Catalog, CatalogProvider } from '../../registry/catalog/catalog.ts';
import { providerNamed } from '../../registry/catalog/catalog.ts';
import { PROVIDERS } from '../providers/registry.ts';
import type { CompiledKey, CompiledSnapshot } from '../snapshot/compiled-snapshot.ts';

/** Where files are kept, in a form that outlives snapshots; uuids. */
export interface AccountReference {
  readonly providerId: string;
  /** Null: what the provider itself is called with. */
  readonly credentialId: string | null;
}

/** The header that names a provider where nothing else does. */
export const PROVIDER_HEADER = 'x-turnpike-provider';
const PROVIDER_ID = /^\w[\w.:-]{0,255}$/;
/** Providers that an error names at most. */
const MOST_NAMED = 16;

/** Whether a text may be what a provider names a file or a batch: nothing that means something else in a path. */
export function isProviderId(text: string): boolean {
  return PROVIDER_ID.test(text);
}

/** How an account is found again. */
export function referenceTo({ provider, credential }: CatalogProvider): AccountReference {
  const providerId = uuidFromId('provider', provider.id);
  if (providerId === null) throw new GatewayError('internal_error');
  return { providerId, credentialId: credential.kind === 'sealed' ? uuidFromId('providerCredential', credential.id) : null };
}

/**
 * The account of a reference, as an organization reaches it. A credential that is gone has its place taken by the one that its provider is called with
 * now: where an operator replaced it, it is of the same account, and where it is not, the provider says that it knows no such file.
 * @throws {GatewayError} where the provider itself is gone.
 */
export function accountAt(
  snapshot: CompiledSnapshot,
  organizationId: string,
  { providerId, credentialId }: AccountReference,
): CatalogProvider {
  const id = idFromUuid('provider', providerId);
  const provider = snapshot.providers.find((candidate) => candidate.id === id);
  const called = provider === undefined ? undefined : providerNamed(catalogOf(snapshot.catalogs, organizationId), provider.name);
  if (provider === undefined || called?.provider.id !== id) {
    throw new GatewayError('upstream_unavailable', { message: 'The provider that keeps it is not there any more.' });
  }
  if (credentialId !== null) {
    const owner = snapshot.credentials.get(idFromUuid('providerCredential', credentialId));
    return owner?.source.organizationId === organizationId && owner.source.providerId === id
      ? { provider, credential: owner.compiled }
      : called;
  }
  // What everybody is called with, also where the organization has a credential of its own by now.
  return provider.organizationId === null ? (providerNamed(snapshot.catalogs.shared, provider.name) ?? called) : called;
}

/** The providers where this key may keep files, by name. */
export function accountsOf(snapshot: CompiledSnapshot, key: CompiledKey): ReadonlyMap<string, CatalogProvider> {
  const catalog = catalogOf(snapshot.catalogs, key.organizationId);
  const accounts = new Map<string, CatalogProvider>();
  for (const account of providersOf(catalog)) {
    const { name, protocol } = account.provider;
    if (PROVIDERS[protocol].accountPath !== undefined && mayCall(key, name)) accounts.set(name, account);
  }
  return accounts;
}

/**
 * Where a file goes that names no model.
 * @param named by the application's header; null: the only one there is. @throws {GatewayError} where that leaves it open.
 */
export function chooseAccount(accounts: ReadonlyMap<string, CatalogProvider>, named: string | null): CatalogProvider {
  const names = [...accounts.keys()].slice(0, MOST_NAMED).join(', ');
  if (named !== null) {
    const account = accounts.get(named);
    if (account !== undefined) return account;
    const message = `There is no provider '${named}' that keeps files; there are: ${names === '' ? 'none' : names}.`;
    throw new GatewayError('endpoint_not_supported', { message, param: PROVIDER_HEADER });
  }
  const [only] = accounts.values();
  if (only === undefined)
    throw new GatewayError('endpoint_not_supported', { message: 'No provider that this API key may use keeps files.' });
  if (accounts.size === 1) return only;
  throw new GatewayError('invalid_request', {
    message: `Several providers keep files; name one in the header '${PROVIDER_HEADER}': ${names}.`,
    param: PROVIDER_HEADER,
  });
}

/** Whether any model of a provider is allowed to a key. */
function mayCall({ allowedModels }: CompiledKey, provider: string): boolean {
  return allowedModels === null || allowedModels.values().some((model) => model.startsWith(`${provider}/`));
}

function* providersOf(catalog: Catalog<PriceSheet>): Generator<CatalogProvider> {
  yield* catalog.providers.values();
  for (const [name, account] of catalog.shared?.providers ?? []) if (!catalog.providers.has(name)) yield account;
}
