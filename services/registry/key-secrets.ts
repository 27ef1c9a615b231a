import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type { ApiKeyTable } from '../../schema/tables/api-key.table.ts';
import { displayVirtualKey, mintVirtualKey, parseVirtualKey } from '../../schema/values/virtual-key.ts';
import type { Secrets } from '../runtime/secrets.ts';
import { pepperVersion } from '../runtime/secrets.ts';
import type { Change } from './change.ts';
import { mintRowId, RegistryError } from './change.ts';
import { scheduleOf, secretEndsAt } from './key-rotation.ts';

type SecretOwner = Pick<Selectable<ApiKeyTable>, 'id' | 'kind' | 'environment' | 'rotate_every_seconds' | 'rotate_within_seconds'>;

/** The secrets of a key that live, newest first. A rotated key has two, a key whose last one leaked none. */
export function liveSecrets(change: Change, keyId: string) {
  const now = new Date(change.clock.now());
  return change.trx
    .selectFrom('api_key_secrets')
    .select(['id', 'display', 'created_at', 'expires_at'])
    .select(
      sql<boolean>`not exists (select from api_key_secrets as other where other.api_key_id = api_key_secrets.api_key_id
        and (other.created_at, other.id) > (api_key_secrets.created_at, api_key_secrets.id))`.as('is_newest'),
    )
    .where('api_key_id', '=', keyId)
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
}

/**
 * Gives a key a secret, which ends when the key's schedule says. @param given one made elsewhere; minted where there is none.
 * @returns it, in plaintext: only its HMAC is stored. @throws RegistryError `invalid` where the given one is no key of this kind, or was a secret before.
 */
export async function addSecret(change: Change, key: SecretOwner, secrets: Secrets, madeAt: Date, given?: string): Promise<string> {
  const secret = given ?? mintVirtualKey(key.kind, key.environment, change.random.bytes);
  const face = parseVirtualKey(secret);
  if (face === null || face.kind !== key.kind)
    throw new RegistryError('invalid', `The secret is not a well-formed \`tpk_${key.kind}_…\` key.`, ['secret']);
  const hash = secrets.hashKey(secret);
  const former = given === undefined ? undefined : await secretWith(change, hash);
  if (former !== undefined) {
    const why = former.leaked_at === null ? 'is or was the secret of a key' : 'was handed in as leaked';
    throw new RegistryError('invalid', `The secret \`${former.display}\` ${why}; a secret never comes back. Choose a new one.`, ['secret']);
  }
  await change.trx
    .insertInto('api_key_secrets')
    .values({
      id: mintRowId(change),
      api_key_id: key.id,
      hash,
      hash_version: pepperVersion,
      display: displayVirtualKey(face),
      created_at: madeAt,
      expires_at: secretEndsAt(scheduleOf(key), madeAt, madeAt),
      revoked_at: null,
    })
    .execute();
  return secret;
}

function secretWith(change: Change, hash: Buffer) {
  return change.trx.selectFrom('api_key_secrets').select(['display', 'leaked_at']).where('hash', '=', hash).executeTakeFirst();
}
