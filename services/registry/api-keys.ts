import type { Selectable, Updateable } from 'kysely';
import type { ApiKeyTable } from '../../schema/tables/api-key.table.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { KeyEnvironment } from '../../schema/values/virtual-key.ts';
import type { Secrets } from '../runtime/secrets.ts';
import type { Change } from './change.ts';
import { differences, mintRowId, RegistryError, recordChange } from './change.ts';
import type { KeyLimits } from './key-limits.ts';
import { limitsOf, requireLimits } from './key-limits.ts';
import type { RotationColumns, RotationSchedule } from './key-rotation.ts';
import { rotationColumns, scheduleAfter, scheduleOf, secretEndsAt } from './key-rotation.ts';
import { addSecret, liveSecrets } from './key-secrets.ts';
import { lockOwn, nextVersion } from './own-rows.ts';
import { requireServiceAccount } from './service-accounts.ts';
import { requireTeam } from './teams.ts';
import { requireUser } from './users.ts';

export type ApiKey = Selectable<ApiKeyTable>;

/** What may be set on a key by whoever creates or updates it. */
export interface ApiKeySettings extends Partial<KeyLimits>, Partial<RotationSchedule> {
  readonly name: string;
  readonly teamId: string | null;
  /** `provider/model` or `provider/*`; null = every model. */
  readonly allowedModels: readonly string[] | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly expiresAt: Date | null;
}

export interface NewApiKey extends ApiKeySettings {
  /** `sa` exactly where a service account owns it. */
  readonly kind: 'ak' | 'adm' | 'sa';
  readonly serviceAccountId?: string | null;
  /** The person who owns the key, so that usage can be told by person; not with a service account. */
  readonly userId?: string | null;
  readonly environment: KeyEnvironment;
  /** Only for kind `adm`. */
  readonly permissions: readonly string[];
  /** Name of the configuration entry that owns the key, or null. */
  readonly managedBy?: string | null;
  /** A secret made elsewhere (a configuration file refers to one); otherwise one is minted. */
  readonly secret?: string;
}

/** Longest time two secrets of one key may live side by side (reference/graphql.md section 8). */
const LONGEST_GRACE_MS = 30 * 24 * 3_600_000;

const settingsOf = (settings: ApiKeySettings) => ({
  name: settings.name,
  team_id: settings.teamId,
  allowed_models: settings.allowedModels === null ? null : [...settings.allowedModels],
  ...limitsOf({
    allowedEndpoints: settings.allowedEndpoints ?? null,
    allowedCidrs: settings.allowedCidrs ?? null,
    allowedOverrides: settings.allowedOverrides ?? null,
  }),
  tags: settings.tags,
  metadata: settings.metadata,
  expires_at: settings.expiresAt,
});

/**
 * Creates a key and mints its secret, which is returned here and never again; only its HMAC is stored.
 * @throws RegistryError `not_found` (team, service account, user), `invalid` (a given secret that is no key of this kind, an owner
 *   that does not go with the kind, an endpoint or block of addresses that is none, a schedule that cannot be).
 */
export async function createApiKey(
  change: Change,
  input: NewApiKey,
  secrets: Secrets,
): Promise<{ key: ApiKey; secret: string; auditEventId: string }> {
  if (input.teamId !== null) await requireTeam(change, input.teamId, ['teamId']);
  requireLimits(input);
  if (input.kind !== 'adm' && input.permissions.length > 0) {
    throw new RegistryError('invalid', 'Only an admin key has permissions.', ['permissions']);
  }
  const owner = await requireOwner(change, input);
  const now = new Date(change.clock.now());
  const rotation = rotationColumns(scheduleAfter({ rotateEveryMs: null, rotateWithinMs: null }, input), now);
  const key = await change.trx
    .insertInto('api_keys')
    .values({
      id: mintRowId(change),
      organization_id: change.organizationId,
      ...owner,
      kind: input.kind,
      environment: input.environment,
      ...settingsOf(input),
      ...rotation,
      permissions: [...input.permissions],
      disabled_at: null,
      revoked_at: null,
      revoke_reason: null,
      last_used_at: null,
      managed_by: input.managedBy ?? null,
      version: 1,
      created_at: now,
      updated_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const secret = await addSecret(change, key, secrets, now, input.secret);
  const auditEventId = await recordKey(
    change,
    'api_key.create',
    key,
    {},
    { ...settingsOf(input), ...rotation, ...owner, kind: input.kind, permissions: input.permissions },
  );
  return { key, secret, auditEventId };
}

/**
 * Gives a key a second secret and lets the old one live for `graceMs`, so that applications can change over.
 * Of several older secrets only the newest keeps its grace: a key never has more than two that live. None lives longer than it would have.
 * A newest secret that reached nobody is replaced instead: it ends, and the one before, which is the one in use, has what is left of its grace.
 * @throws RegistryError `not_found`, `already_revoked`, `managed_by_file`, `invalid` (grace beyond 30 days, nothing to replace).
 */
export async function rotateApiKey(
  change: Change,
  input: { readonly id: string; readonly graceMs: number; readonly replaceNewest?: boolean },
  secrets: Secrets,
): Promise<{ key: ApiKey; secret: string; auditEventId: string }> {
  if (!(input.graceMs >= 0 && input.graceMs <= LONGEST_GRACE_MS))
    throw new RegistryError('invalid', 'The grace is at most 30 days.', ['graceFor']);
  const before = await lockKey(change, { id: input.id, expectedVersion: null });
  const now = new Date(change.clock.now());
  const graceEnds = new Date(change.clock.now() + input.graceMs);
  const live = await liveSecrets(change, before.id);
  if (input.replaceNewest === true) return replaceNewest(change, before, live, secrets, now);
  for (const [index, old] of live.entries()) {
    const expiresAt = index > 0 ? now : old.expires_at !== null && old.expires_at < graceEnds ? old.expires_at : graceEnds;
    await change.trx.updateTable('api_key_secrets').set({ expires_at: expiresAt }).where('id', '=', old.id).execute();
  }
  const secret = await addSecret(change, before, secrets, now);
  const key = await bumpVersion(change, before, rotationColumns(scheduleOf(before), now));
  const auditEventId = await recordKey(change, 'api_key.rotate', key, {}, { graceMs: input.graceMs });
  return { key, secret, auditEventId };
}

async function replaceNewest(
  change: Change,
  before: ApiKey,
  live: Awaited<ReturnType<typeof liveSecrets>>,
  secrets: Secrets,
  now: Date,
): Promise<{ key: ApiKey; secret: string; auditEventId: string }> {
  const [newest, older] = live;
  if (newest?.is_newest !== true || older === undefined)
    throw new RegistryError('invalid', 'Only a key with a secret in grace has a newest one that nobody may be using.', ['replaceNewest']);
  await change.trx.updateTable('api_key_secrets').set({ revoked_at: now }).where('id', '=', newest.id).execute();
  const secret = await addSecret(change, before, secrets, now);
  const key = await bumpVersion(change, before, rotationColumns(scheduleOf(before), now));
  const auditEventId = await recordKey(change, 'api_key.rotate', key, {}, { revoked: [newest.display] });
  return { key, secret, auditEventId };
}

/**
 * Ends the grace of a rotated key: every secret but the newest is revoked at once. Where none is left in grace nothing changes.
 * @returns no audit event where nothing had to change. @throws RegistryError `not_found`, `already_revoked`, `managed_by_file`.
 */
export async function endGrace(change: Change, id: string): Promise<{ key: ApiKey; auditEventId: string | null }> {
  const before = await lockKey(change, { id, expectedVersion: null });
  const now = new Date(change.clock.now());
  const older = (await liveSecrets(change, id)).filter((secret) => !secret.is_newest);
  if (older.length === 0) return { key: before, auditEventId: null };
  const ids = older.map((secret) => secret.id);
  await change.trx.updateTable('api_key_secrets').set({ revoked_at: now }).where('id', 'in', ids).execute();
  const key = await bumpVersion(change, before, {});
  return { key, auditEventId: await recordKey(change, 'api_key.end_grace', key, {}, { revoked: older.map((secret) => secret.display) }) };
}

/** Ends a key for good, all its secrets with it. @throws RegistryError `not_found`, `already_revoked`, `managed_by_file`. */
export async function revokeApiKey(
  change: Change,
  input: { readonly id: string; readonly reason: string | null },
): Promise<{ key: ApiKey; auditEventId: string }> {
  const before = await lockKey(change, { id: input.id, expectedVersion: null });
  const after = { revoked_at: new Date(change.clock.now()), revoke_reason: input.reason };
  const key = await bumpVersion(change, before, after);
  return { key, auditEventId: await recordKey(change, 'api_key.revoke', key, before, after) };
}

/** @throws RegistryError `not_found`, `already_revoked`, `version_conflict`, `managed_by_file`, `invalid`. */
export async function updateApiKey(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number } & Partial<ApiKeySettings> & { readonly disabled?: boolean },
): Promise<{ key: ApiKey; auditEventId: string }> {
  const before = await lockKey(change, input);
  if (input.teamId != null) await requireTeam(change, input.teamId, ['teamId']);
  requireLimits(input);
  const rotation = await reschedule(change, before, input);
  const disabledAt = before.disabled_at ?? new Date(change.clock.now());
  const after = {
    ...(input.name === undefined ? {} : { name: input.name }),
    ...(input.teamId === undefined ? {} : { team_id: input.teamId }),
    ...(input.allowedModels === undefined ? {} : { allowed_models: input.allowedModels === null ? null : [...input.allowedModels] }),
    ...limitsOf(input),
    ...rotation,
    ...(input.tags === undefined ? {} : { tags: input.tags }),
    ...(input.metadata === undefined ? {} : { metadata: input.metadata }),
    ...(input.expiresAt === undefined ? {} : { expires_at: input.expiresAt }),
    ...(input.disabled === undefined ? {} : { disabled_at: input.disabled ? disabledAt : null }),
  };
  const key = await bumpVersion(change, before, after);
  return { key, auditEventId: await recordKey(change, 'api_key.update', key, before, after) };
}

/**
 * Replaces every secret of a key at once, without grace: for a key whose plaintext was lost, or whose configured secret changed.
 * @param given the new secret; minted where there is none. @throws RegistryError `invalid` where it is no key of this kind.
 */
export async function replaceSecret(change: Change, key: ApiKey, secrets: Secrets, given?: string): Promise<string> {
  const now = new Date(change.clock.now());
  await change.trx
    .updateTable('api_key_secrets')
    .set({ revoked_at: now })
    .where('api_key_id', '=', key.id)
    .where('revoked_at', 'is', null)
    .execute();
  const secret = await addSecret(change, key, secrets, now, given);
  const rotation = rotationColumns(scheduleOf(key), now);
  await change.trx.updateTable('api_keys').set(rotation).where('id', '=', key.id).execute();
  await recordKey(change, 'api_key.rotate', key, {}, { graceMs: 0 });
  return secret;
}

async function requireOwner(change: Change, input: NewApiKey): Promise<Pick<ApiKey, 'user_id' | 'service_account_id'>> {
  const serviceAccountId = input.serviceAccountId ?? null;
  const userId = input.userId ?? null;
  if ((input.kind === 'sa') !== (serviceAccountId !== null)) {
    throw new RegistryError('invalid', 'A key of kind `sa`, and only such a key, has a service account.', ['serviceAccountId']);
  }
  if (serviceAccountId !== null && userId !== null) {
    throw new RegistryError('invalid', 'A service account or a user owns a key, not both.', ['userId']);
  }
  if (serviceAccountId !== null) await requireServiceAccount(change, serviceAccountId, ['serviceAccountId']);
  if (userId !== null) await requireUser(change, userId, ['userId']);
  return { user_id: userId, service_account_id: serviceAccountId };
}

/** Puts another schedule in force for the newest secret. Told is told: the same moment is not due twice. */
async function reschedule(change: Change, before: ApiKey, asked: Partial<RotationSchedule>): Promise<Partial<RotationColumns>> {
  if (asked.rotateEveryMs === undefined && asked.rotateWithinMs === undefined) return {};
  const schedule = scheduleAfter(scheduleOf(before), asked);
  const newest = await change.trx
    .selectFrom('api_key_secrets')
    .select(['id', 'created_at', 'expires_at', 'revoked_at'])
    .where('api_key_id', '=', before.id)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const now = new Date(change.clock.now());
  // What has ended stays so, whatever the schedule becomes.
  if (newest !== undefined && newest.revoked_at === null && (newest.expires_at === null || newest.expires_at > now)) {
    const endsAt = secretEndsAt(schedule, newest.created_at, now);
    await change.trx.updateTable('api_key_secrets').set({ expires_at: endsAt }).where('id', '=', newest.id).execute();
  }
  const after = rotationColumns(schedule, newest?.created_at ?? null);
  const isSame = after.rotation_due_at?.getTime() === before.rotation_due_at?.getTime();
  return { ...after, rotation_told_at: isSame ? before.rotation_told_at : null };
}

/** A revoked key stays as it is. */
async function lockKey(change: Change, input: { readonly id: string; readonly expectedVersion: number | null }): Promise<ApiKey> {
  const key = await lockOwn(change, change.trx.selectFrom('api_keys').selectAll(), 'API key', input);
  if (key.revoked_at !== null) throw new RegistryError('already_revoked', 'This API key is revoked.', ['id']);
  return key;
}

function bumpVersion(change: Change, before: ApiKey, after: Updateable<ApiKeyTable>): Promise<ApiKey> {
  return change.trx
    .updateTable('api_keys')
    .set({ ...after, ...nextVersion(change, before) })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

function recordKey(change: Change, action: string, key: ApiKey, before: object, after: Record<string, unknown>): Promise<string> {
  return recordChange(change, {
    action,
    targets: [{ type: 'api_key', id: idFromUuid('apiKey', key.id), name: key.name }],
    changes: differences({ ...before }, after),
  });
}
