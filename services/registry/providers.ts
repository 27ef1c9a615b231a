import type { Selectable } from 'kysely';
import type { ProviderTable } from '../../schema/tables/provider.table.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { ProviderProtocol } from '../../schema/values/provider-protocol.ts';
import type { AuditTarget } from '../journal/append-audit.ts';
import type { Change } from './change.ts';
import { differences, mintRowId, RegistryError, recordChange, requireChangeable } from './change.ts';
import { nameTaken, nextVersion } from './own-rows.ts';
import { PROVIDER_ACCESS } from './provider-access.ts';
import { refuseRouted } from './routed.ts';
import type { ProviderOptions } from './snapshot.ts';

export type Provider = Selectable<ProviderTable>;

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Names with a meaning of their own in the `model` of a request. */
const RESERVED_NAMES: readonly string[] = ['route'];
const MAX_URL_LENGTH = 2_048;
const API_VERSION = /^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/;
const LONGEST_TIMEOUT_MS = 3_600_000;
const MOST_CONNECTIONS = 65_535;

/**
 * Creates a provider that only the organization in `change` sees. It never reads the gateway's environment: its secrets are
 * credentials (credentials.ts).
 * @throws RegistryError `name_taken` where the organization sees a provider of this name; `invalid`.
 */
export async function createProvider(
  change: Change,
  input: {
    readonly name: string;
    readonly protocol: ProviderProtocol;
    /** null = where the protocol's own provider is. */
    readonly baseUrl: string | null;
    readonly options: ProviderOptions;
  },
): Promise<{ provider: Provider; auditEventId: string }> {
  if (!NAME.test(input.name) || RESERVED_NAMES.includes(input.name)) {
    throw new RegistryError('invalid', 'A name has lower-case letters, digits and dashes, at most 63, and is not `route`.', ['name']);
  }
  const baseUrl = input.baseUrl ?? PROVIDER_ACCESS[input.protocol].baseUrl;
  if (baseUrl === null) throw new RegistryError('invalid', 'A provider of this protocol needs a base URL.', ['baseUrl']);
  const fields = { protocol: input.protocol, base_url: checkedBaseUrl(baseUrl), options: checkedOptions(input.options, input.protocol) };
  const shared = await change.trx
    .selectFrom('providers')
    .select('id')
    .where('organization_id', 'is', null)
    .where('name', '=', input.name)
    .where('archived_at', 'is', null)
    .executeTakeFirst();
  const taken = `A live provider named ${input.name} exists.`;
  if (shared !== undefined) throw new RegistryError('name_taken', taken, ['name']);
  const now = new Date(change.clock.now());
  const provider = await change.trx
    .insertInto('providers')
    .values({
      id: mintRowId(change),
      organization_id: change.organizationId,
      name: input.name,
      ...fields,
      credential: null,
      managed_by: null,
      version: 1,
      created_at: now,
      updated_at: now,
      archived_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch(nameTaken(taken));
  const after = { name: provider.name, ...fields };
  return { provider, auditEventId: await recordProvider(change, 'provider.create', provider, {}, after) };
}

/** @throws RegistryError `not_found`, `archived`, `managed_by_file` (shared ones), `version_conflict`, `invalid`. */
export async function updateProvider(
  change: Change,
  input: {
    readonly id: string;
    readonly expectedVersion: number;
    readonly protocol?: ProviderProtocol;
    readonly baseUrl?: string;
    readonly options?: ProviderOptions;
  },
): Promise<{ provider: Provider; auditEventId: string }> {
  const before = await lockProvider(change, input.id, input.expectedVersion);
  const protocol = input.protocol ?? before.protocol;
  // Written by this file only.
  const options = checkedOptions(input.options ?? (before.options as ProviderOptions), protocol);
  const after = {
    ...(input.protocol === undefined ? {} : { protocol }),
    ...(input.baseUrl === undefined ? {} : { base_url: checkedBaseUrl(input.baseUrl) }),
    ...(input.options === undefined ? {} : { options }),
  };
  const provider = await change.trx
    .updateTable('providers')
    .set({ ...after, ...nextVersion(change, before) })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return { provider, auditEventId: await recordProvider(change, 'provider.update', provider, before, after) };
}

/**
 * Takes a provider out of use, its models with it, and erases its credentials.
 * @throws RegistryError `not_found`, `archived`, `managed_by_file` (shared ones), `version_conflict`, `invalid` while a live
 *   route goes to one of its models.
 */
export async function archiveProvider(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number },
): Promise<{ provider: Provider; auditEventId: string }> {
  const before = await lockProvider(change, input.id, input.expectedVersion);
  const models = await change.trx
    .selectFrom('models')
    .select(['id', 'name'])
    .where('provider_id', '=', before.id)
    .where('archived_at', 'is', null)
    .forUpdate()
    .execute();
  await refuseRouted(
    change,
    'model_id',
    models.map((model) => model.id),
  );
  const now = new Date(change.clock.now());
  const archived = { archived_at: now, updated_at: now };
  await change.trx
    .updateTable('models')
    .set((row) => ({ ...archived, version: row('version', '+', 1) }))
    .where('provider_id', '=', before.id)
    .where('archived_at', 'is', null)
    .execute();
  const credentials = await change.trx
    .updateTable('provider_credentials')
    .set((row) => ({ ...archived, sealed: Buffer.alloc(0), version: row('version', '+', 1) }))
    .where('provider_id', '=', before.id)
    .where('archived_at', 'is', null)
    .returning(['id', 'name'])
    .execute();
  const provider = await change.trx
    .updateTable('providers')
    .set({ ...archived, version: before.version + 1 })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const alongside: AuditTarget[] = [
    ...models.map(({ id, name }) => ({ type: 'model', id: idFromUuid('model', id), name })),
    ...credentials.map(({ id, name }) => ({ type: 'provider_credential', id: idFromUuid('providerCredential', id), name })),
  ];
  return {
    provider,
    auditEventId: await recordProvider(change, 'provider.archive', provider, before, { archived_at: now }, alongside),
  };
}

/** The live provider with this uuid that the organization sees, its own or a shared one, or a refusal that names `path`. */
export async function requireProvider(change: Change, id: string, path: readonly string[]): Promise<Provider> {
  const provider = await visibleProviders(change, id)
    .where('archived_at', 'is', null)
    // Held against its archiving until this change commits.
    .forShare()
    .executeTakeFirst();
  if (provider === undefined) throw new RegistryError('not_found', 'There is no such provider.', path);
  return provider;
}

/** The organization's own live provider; a shared one is refused as what it is. */
async function lockProvider(change: Change, id: string, expectedVersion: number): Promise<Provider> {
  const provider = requireChangeable(await visibleProviders(change, id).forUpdate().executeTakeFirst(), 'provider', expectedVersion);
  refuseShared(provider.organization_id, 'provider');
  return provider;
}

/** The organization's own or a shared provider, live or not. */
function visibleProviders(change: Change, id: string) {
  return change.trx
    .selectFrom('providers')
    .selectAll()
    .where('id', '=', id)
    .where((where) => where.or([where('organization_id', 'is', null), where('organization_id', '=', change.organizationId)]));
}

/** @throws RegistryError `managed_by_file` for what belongs to the installation and not to the organization. */
export function refuseShared(organizationId: string | null, what: string): void {
  if (organizationId !== null) return;
  throw new RegistryError('managed_by_file', `This ${what} is shared by the installation, which alone can change it.`, ['id']);
}

function checkedBaseUrl(text: string): string {
  const refusal = new RegistryError(
    'invalid',
    'A base URL is http or https, without credentials, query or fragment, such as https://api.openai.com/v1.',
    ['baseUrl'],
  );
  if (text.length > MAX_URL_LENGTH || !URL.canParse(text)) throw refusal;
  const url = new URL(text);
  const isPlain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!isPlain || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw refusal;
  return url.href.replace(/\/+$/, '');
}

function checkedOptions(options: ProviderOptions, protocol: ProviderProtocol): Readonly<Record<string, unknown>> {
  const within = (name: keyof ProviderOptions, most: number): void => {
    const value = options[name];
    if (value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most)) return;
    throw new RegistryError('invalid', `${name} is a whole number from 1 to ${most}.`, ['options', name]);
  };
  within('connectTimeoutMs', LONGEST_TIMEOUT_MS);
  within('firstByteTimeoutMs', LONGEST_TIMEOUT_MS);
  within('idleTimeoutMs', LONGEST_TIMEOUT_MS);
  within('maxConnections', MOST_CONNECTIONS);
  const { apiVersion, servesResponses } = options;
  if (apiVersion !== undefined && (protocol !== 'azure-openai' || !API_VERSION.test(apiVersion))) {
    const message = 'apiVersion is one of Azure, such as 2024-10-21, and only a provider of its protocol has it.';
    throw new RegistryError('invalid', message, ['options', 'apiVersion']);
  }
  if (servesResponses !== undefined && protocol !== 'openai') {
    const message = 'servesResponses is to be said of a provider of protocol openai alone.';
    throw new RegistryError('invalid', message, ['options', 'servesResponses']);
  }
  return { ...options };
}

function recordProvider(
  change: Change,
  action: string,
  provider: Provider,
  before: object,
  after: Record<string, unknown>,
  alongside: readonly AuditTarget[] = [],
): Promise<string> {
  return recordChange(change, {
    action,
    targets: [{ type: 'provider', id: idFromUuid('provider', provider.id), name: provider.name }, ...alongside],
    changes: differences({ ...before }, after),
  });
}
