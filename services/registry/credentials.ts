import type { Selectable, Updateable } from 'kysely';
import type { ProviderCredentialTable } from '../../schema/tables/provider-credential.table.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { Secrets } from '../runtime/secrets.ts';
import type { Change } from './change.ts';
import { differences, mintRowId, RegistryError, recordChange } from './change.ts';
import { openCredential, sealCredential } from './credential-secret.ts';
import { dataKeyOf, openDataKey } from './data-keys.ts';
import { lockOwn, nameTaken, nextVersion } from './own-rows.ts';
import type { Provider } from './providers.ts';
import { requireProvider } from './providers.ts';
import { refuseRouted } from './routed.ts';

/** A credential as it may be shown: never its secret, not even sealed. */
export type ProviderCredential = Omit<Selectable<ProviderCredentialTable>, 'sealed' | 'data_key_id'>;

const COLUMNS = [
  'id',
  'organization_id',
  'provider_id',
  'name',
  'hint',
  'rotated_at',
  'verified_at',
  'verify_error',
  'managed_by',
  'version',
  'created_at',
  'updated_at',
  'archived_at',
] as const;

/** A header value: printable ASCII without spaces. */
const SECRET = /^[\x21-\x7e]{1,4096}$/;
const HINT_LENGTH = 4;
/** A secret shorter than this would be given away by four of its characters. */
const SHORTEST_HINTED = 16;
const MOST_PER_PROVIDER = 16;
const MAX_NAME_LENGTH = 200;
const MAX_ERROR_LENGTH = 500;

/**
 * Seals a secret that authorizes the organization in `change` with a provider, its own or a shared one. The secret is never
 * returned again, and stands nowhere else.
 * @throws RegistryError `not_found` (provider), `name_taken`, `invalid` (a secret no header can carry, more than 16 of a provider).
 */
export async function createCredential(
  change: Change,
  input: { readonly providerId: string; readonly name: string; readonly secret: string },
  secrets: Secrets,
): Promise<{ credential: ProviderCredential; auditEventId: string }> {
  const provider = await requireProvider(change, input.providerId, ['providerId']);
  checkName(input.name);
  const live = await change.trx
    .selectFrom('provider_credentials')
    .select('id')
    .where('organization_id', '=', change.organizationId)
    .where('provider_id', '=', provider.id)
    .where('archived_at', 'is', null)
    .execute();
  if (live.length >= MOST_PER_PROVIDER) {
    throw new RegistryError('invalid', `A provider has at most ${MOST_PER_PROVIDER} live credentials.`, ['providerId']);
  }
  const id = mintRowId(change);
  const now = new Date(change.clock.now());
  const credential = await change.trx
    .insertInto('provider_credentials')
    .values({
      id,
      organization_id: change.organizationId,
      provider_id: provider.id,
      name: input.name,
      ...(await sealed(change, { id, providerId: provider.id, secret: input.secret }, secrets)),
      rotated_at: now,
      verified_at: null,
      verify_error: null,
      managed_by: null,
      version: 1,
      created_at: now,
      updated_at: now,
      archived_at: null,
    })
    .returning(COLUMNS)
    .executeTakeFirstOrThrow()
    .catch(taken(input.name));
  const after = { name: credential.name, provider_id: idFromUuid('provider', provider.id), hint: credential.hint };
  return { credential, auditEventId: await recordCredential(change, 'provider_credential.create', credential, {}, after) };
}

/**
 * Replaces a secret at once; what was verified of the old one is forgotten. For a change-over with both, create a second credential.
 * @param input.expectedVersion null = whatever version it is at. @throws RegistryError `not_found`, `archived`, `version_conflict`, `invalid`.
 */
export async function rotateCredential(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number | null; readonly secret: string },
  secrets: Secrets,
): Promise<{ credential: ProviderCredential; auditEventId: string }> {
  const before = await lockCredential(change, input.id, input.expectedVersion);
  const replaced = await sealed(change, { id: before.id, providerId: before.provider_id, secret: input.secret }, secrets);
  const rotatedAt = new Date(change.clock.now());
  const credential = await write(change, before, { ...replaced, rotated_at: rotatedAt, verified_at: null, verify_error: null });
  const after = { hint: credential.hint, rotated_at: rotatedAt };
  return { credential, auditEventId: await recordCredential(change, 'provider_credential.rotate', credential, before, after) };
}

/** @throws RegistryError `not_found`, `archived`, `version_conflict`, `name_taken`, `invalid`. */
export async function renameCredential(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number; readonly name: string },
): Promise<{ credential: ProviderCredential; auditEventId: string }> {
  const before = await lockCredential(change, input.id, input.expectedVersion);
  checkName(input.name);
  const credential = await write(change, before, { name: input.name }).catch(taken(input.name));
  return {
    credential,
    auditEventId: await recordCredential(change, 'provider_credential.update', credential, before, { name: input.name }),
  };
}

/**
 * Takes a credential out of use and erases its ciphertext.
 * @throws RegistryError `not_found`, `archived`, `version_conflict`, `invalid` while a live route names it.
 */
export async function archiveCredential(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number },
): Promise<{ credential: ProviderCredential; auditEventId: string }> {
  const before = await lockCredential(change, input.id, input.expectedVersion);
  await refuseRouted(change, 'credential_id', [before.id]);
  const archivedAt = new Date(change.clock.now());
  const credential = await write(change, before, { archived_at: archivedAt, sealed: Buffer.alloc(0) });
  return {
    credential,
    auditEventId: await recordCredential(change, 'provider_credential.archive', credential, before, { archived_at: archivedAt }),
  };
}

/**
 * Writes down what trying a credential with its provider came to. It is no new version: nobody's edit is in its way.
 * @param input.error null = the provider accepted it; else why not, which must not quote the secret.
 * @throws RegistryError `not_found`, `archived`.
 */
export async function recordVerification(
  change: Change,
  input: { readonly id: string; readonly error: string | null },
): Promise<{ credential: ProviderCredential; auditEventId: string }> {
  const before = await lockCredential(change, input.id, null);
  const after = { verified_at: new Date(change.clock.now()), verify_error: input.error?.slice(0, MAX_ERROR_LENGTH) ?? null };
  const credential = await change.trx
    .updateTable('provider_credentials')
    .set(after)
    .where('id', '=', before.id)
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
  return { credential, auditEventId: await recordCredential(change, 'provider_credential.verify', credential, before, after) };
}

/**
 * A credential in plaintext with its provider, to try it; for memory only.
 * @throws RegistryError `not_found`; {@link SealError} where the row was altered.
 */
export async function readCredentialSecret(
  change: Change,
  input: { readonly id: string },
  secrets: Secrets,
): Promise<{ secret: string; provider: Provider }> {
  const row = await change.trx
    .selectFrom('provider_credentials')
    .innerJoin('data_keys', 'data_keys.id', 'provider_credentials.data_key_id')
    .select(['provider_id', 'provider_credentials.sealed', 'data_key_id', 'data_keys.organization_id', 'data_keys.sealed as data_key'])
    .where('provider_credentials.id', '=', input.id)
    .where('provider_credentials.organization_id', '=', change.organizationId)
    .where('provider_credentials.archived_at', 'is', null)
    .executeTakeFirst();
  if (row === undefined || row.organization_id !== change.organizationId) {
    throw new RegistryError('not_found', 'There is no such credential.', ['id']);
  }
  const provider = await requireProvider(change, row.provider_id, ['id']);
  const dataKey = openDataKey({ id: row.data_key_id, organization_id: row.organization_id, sealed: row.data_key }, secrets.deriveKey);
  return { provider, secret: openCredential(dataKey, row.sealed, placeOf(input.id, provider.id)) };
}

async function sealed(
  change: Change,
  input: { readonly id: string; readonly providerId: string; readonly secret: string },
  secrets: Secrets,
): Promise<Pick<Selectable<ProviderCredentialTable>, 'sealed' | 'data_key_id' | 'hint'>> {
  if (!SECRET.test(input.secret)) {
    throw new RegistryError('invalid', 'A secret has 1 to 4096 printable ASCII characters without spaces.', ['secret']);
  }
  const dataKey = await dataKeyOf(change, secrets);
  return {
    sealed: sealCredential(dataKey.key, input.secret, placeOf(input.id, input.providerId), change.random),
    data_key_id: dataKey.id,
    hint: input.secret.length < SHORTEST_HINTED ? '' : input.secret.slice(-HINT_LENGTH),
  };
}

function placeOf(id: string, providerId: string) {
  return { credentialId: idFromUuid('providerCredential', id), providerId: idFromUuid('provider', providerId) };
}

function write(change: Change, before: ProviderCredential, after: Updateable<ProviderCredentialTable>): Promise<ProviderCredential> {
  return change.trx
    .updateTable('provider_credentials')
    .set({ ...after, ...nextVersion(change, before) })
    .where('id', '=', before.id)
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
}

function lockCredential(change: Change, id: string, expectedVersion: number | null): Promise<ProviderCredential> {
  const credentials = change.trx.selectFrom('provider_credentials').select(COLUMNS);
  return lockOwn(change, credentials, 'credential', { id, expectedVersion });
}

function checkName(name: string): void {
  if (name.length >= 1 && name.length <= MAX_NAME_LENGTH) return;
  throw new RegistryError('invalid', `A name has 1 to ${MAX_NAME_LENGTH} characters.`, ['name']);
}

function taken(name: string): (error: unknown) => never {
  return nameTaken(`A live credential of this provider is named ${name}.`);
}

function recordCredential(
  change: Change,
  action: string,
  credential: ProviderCredential,
  before: object,
  after: Record<string, unknown>,
): Promise<string> {
  return recordChange(change, {
    action,
    targets: [{ type: 'provider_credential', id: idFromUuid('providerCredential', credential.id), name: credential.name }],
    changes: differences({ ...before }, after),
  });
}
