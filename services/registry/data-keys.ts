import type { KeyObject } from 'node:crypto';
import { createSecretKey } from 'node:crypto';
import type { Secrets } from '../runtime/secrets.ts';
import type { Change } from './change.ts';
import { mintRowId } from './change.ts';
import { seal, unseal } from './sealing.ts';

const DATA_KEY_BYTES = 32;
/** What the key is derived for that seals data keys (services/runtime/secrets.ts, HKDF). */
const PURPOSE = 'data-keys/1';

/** The key an organization's credentials are sealed with, as the row has it. Ids are uuids. */
export interface SealedDataKey {
  readonly id: string;
  readonly organization_id: string;
  readonly sealed: Buffer;
}

/** Opens a data key with the master key. @throws {SealError} where it is another organization's or another installation's. */
export function openDataKey(row: SealedDataKey, deriveKey: Secrets['deriveKey']): KeyObject {
  return createSecretKey(unseal(deriveKey(PURPOSE), row.sealed, placeOf(row.id, row.organization_id)));
}

/** The data key of the organization in `change`, made when first needed. @throws {SealError} where the kept one does not open. */
export async function dataKeyOf(change: Change, secrets: Secrets): Promise<{ id: string; key: KeyObject }> {
  const kept = await findDataKey(change);
  if (kept !== undefined) return { id: kept.id, key: openDataKey(kept, secrets.deriveKey) };
  const id = mintRowId(change);
  const sealed = seal(secrets.deriveKey(PURPOSE), change.random.bytes(DATA_KEY_BYTES), placeOf(id, change.organizationId), change.random);
  await change.trx
    .insertInto('data_keys')
    .values({ id, organization_id: change.organizationId, sealed, created_at: new Date(change.clock.now()) })
    // Somebody else may make it at the same moment: then theirs is the one.
    .onConflict((conflict) => conflict.column('organization_id').doNothing())
    .execute();
  const made = await findDataKey(change);
  if (made === undefined) throw new Error('the data key of an organization vanished while it was made');
  return { id: made.id, key: openDataKey(made, secrets.deriveKey) };
}

function findDataKey(change: Change): Promise<SealedDataKey | undefined> {
  return change.trx
    .selectFrom('data_keys')
    .select(['id', 'organization_id', 'sealed'])
    .where('organization_id', '=', change.organizationId)
    .executeTakeFirst();
}

function placeOf(id: string, organizationId: string): string {
  return `data key ${id} of organization ${organizationId}`;
}
