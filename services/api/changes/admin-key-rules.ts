import type { Viewer } from '../../../schema/graphql/context.ts';
import { allows } from '../../../schema/graphql/permission.ts';
import type { ApiKey } from '../../registry/api-keys.ts';
import type { Change } from '../../registry/change.ts';
import { RegistryError } from '../../registry/change.ts';
import { isWithin, parseCidr } from '../../runtime/address-list.ts';

/** How long and from where a key may be used, as it is asked for. */
interface AskedBounds {
  readonly expiresAt?: Date | null;
  readonly allowedCidrs?: readonly string[] | null;
}

/**
 * Whatever is done to a key is done to what the key can do: one that can do more than the viewer does not exist for it, as it
 * does not in its lists.
 * @throws RegistryError `not_found`.
 */
export async function requireCoveredKey(change: Change, id: string, viewer: Viewer): Promise<Pick<ApiKey, 'kind'>> {
  const key = await change.trx
    .selectFrom('api_keys')
    .select(['kind', 'permissions'])
    .where('id', '=', id)
    .where('organization_id', '=', change.organizationId)
    .executeTakeFirst();
  if (key === undefined || !key.permissions.every((permission) => allows(viewer.permissions, permission))) {
    throw new RegistryError('not_found', 'There is no such API key.', ['id']);
  }
  return key;
}

/**
 * An admin key is bound at least as much as the one that makes or changes it, or a key that was lent for a day could make itself
 * one for good.
 * @throws RegistryError `invalid`.
 */
export function requireBoundLikeViewer(kind: ApiKey['kind'], asked: AskedBounds, viewer: Viewer): void {
  if (kind !== 'adm') return;
  const { expiresAt, allowedCidrs } = asked;
  if (expiresAt !== undefined && viewer.expiresAt !== null && (expiresAt === null || expiresAt > viewer.expiresAt)) {
    throw new RegistryError('invalid', 'The key that asks expires; no admin key it makes or changes may work longer.', ['expiresAt']);
  }
  if (allowedCidrs === undefined || viewer.allowedCidrs === null) return;
  const own = viewer.allowedCidrs.map(parseCidr).filter((cidr) => cidr !== null);
  const isInside = allowedCidrs?.map(parseCidr).every((cidr) => cidr === null || isWithin(cidr, own)) ?? false;
  if (!isInside) {
    throw new RegistryError('invalid', 'The key that asks is bound to addresses; admin keys it makes or changes are bound to the same.', [
      'allowedCidrs',
    ]);
  }
}
