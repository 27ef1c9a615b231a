import { timingSafeEqual } from 'node:crypto';
import { idFromUuid } from '../../../schema/values/ids.ts';
import type { Secrets } from '../../runtime/secrets.ts';
import type { ApiKey } from '../api-keys.ts';
import { createApiKey, replaceSecret } from '../api-keys.ts';
import type { Change } from '../change.ts';
import { differences, recordChange } from '../change.ts';
import { limitsOf } from '../key-limits.ts';
import { nextVersion } from '../own-rows.ts';
import { createTeam } from '../teams.ts';
import type { DesiredKey, DesiredState } from './desired-state.ts';
import { ownershipMark } from './desired-state.ts';

/**
 * Makes the owner's keys of the organization in `change` what the state says. A key it no longer names is disabled, not
 * revoked, so that putting it back into the file brings it back; a changed secret replaces the old one at once.
 * @throws RegistryError `invalid` where a secret is no well-formed key.
 */
export async function applyKeys(change: Change, desired: DesiredState, secrets: Secrets): Promise<void> {
  const owned = await change.trx
    .selectFrom('api_keys')
    .selectAll()
    .where('organization_id', '=', change.organizationId)
    .where('managed_by', 'like', `${desired.owner}:%`)
    .forUpdate()
    .execute();
  for (const wanted of desired.keys) {
    const mark = ownershipMark(desired.owner, 'Key', wanted.name);
    const teamId = wanted.team === null ? null : await teamNamed(change, wanted.team);
    const kept = owned.find((key) => key.managed_by === mark);
    if (kept !== undefined) {
      await updateKey(change, kept, { ...wanted, teamId }, secrets);
    } else {
      const settings = { ...wanted, teamId, kind: 'ak', environment: 'live', permissions: [], managedBy: mark } as const;
      await createApiKey(change, settings, secrets);
    }
  }
  const marks = new Set(desired.keys.map((key) => ownershipMark(desired.owner, 'Key', key.name)));
  for (const key of owned) {
    if (!marks.has(key.managed_by ?? '') && key.disabled_at === null) {
      await writeKey(change, key, { disabled_at: new Date(change.clock.now()) });
    }
  }
}

async function updateKey(
  change: Change,
  kept: ApiKey,
  wanted: DesiredKey & { readonly teamId: string | null },
  secrets: Secrets,
): Promise<void> {
  await writeKey(change, kept, {
    team_id: wanted.teamId,
    allowed_models: wanted.allowedModels === null ? null : [...wanted.allowedModels],
    ...limitsOf(wanted),
    tags: wanted.tags,
    metadata: wanted.metadata,
    expires_at: wanted.expiresAt,
    disabled_at: null,
  });
  const live = await change.trx
    .selectFrom('api_key_secrets')
    .select('hash')
    .where('api_key_id', '=', kept.id)
    .where('revoked_at', 'is', null)
    .execute();
  const hash = secrets.hashKey(wanted.secret);
  if (!live.some((secret) => timingSafeEqual(secret.hash, hash))) await replaceSecret(change, kept, secrets, wanted.secret);
}

async function writeKey(
  change: Change,
  kept: ApiKey,
  after: Partial<
    Pick<
      ApiKey,
      | 'team_id'
      | 'allowed_models'
      | 'allowed_endpoints'
      | 'allowed_cidrs'
      | 'allowed_overrides'
      | 'tags'
      | 'metadata'
      | 'expires_at'
      | 'disabled_at'
    >
  >,
): Promise<void> {
  const changes = differences(kept, after);
  if (changes.length === 0) return;
  await change.trx
    .updateTable('api_keys')
    .set({ ...after, ...nextVersion(change, kept) })
    .where('id', '=', kept.id)
    .execute();
  await recordChange(change, {
    action: 'api_key.update',
    targets: [{ type: 'api_key', id: idFromUuid('apiKey', kept.id), name: kept.name }],
    changes,
  });
}

async function teamNamed(change: Change, name: string): Promise<string> {
  const kept = await change.trx
    .selectFrom('teams')
    .select(['id', 'name'])
    .where('organization_id', '=', change.organizationId)
    .where('archived_at', 'is', null)
    .execute();
  const found = kept.find((team) => team.name.toLowerCase() === name.toLowerCase());
  return found?.id ?? (await createTeam(change, { name })).team.id;
}
