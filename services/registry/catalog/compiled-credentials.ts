import type { KeyObject } from 'node:crypto';
import { uuidFromId } from '../../../schema/values/ids.ts';
import type { Secrets } from '../../runtime/secrets.ts';
import { openCredential } from '../credential-secret.ts';
import { openDataKey } from '../data-keys.ts';
import type { Snapshot, SnapshotCredential, SnapshotDataKey } from '../snapshot.ts';

/**
 * What authorizes the gateway with a provider. A sealed one is opened in memory only; it is a function so that nothing that
 * prints or serializes the snapshot can show it.
 */
export type CompiledCredential =
  | { readonly kind: 'none' }
  | { readonly kind: 'environment'; readonly variable: string }
  /** `reveal` gives null where it could not be opened: then its provider cannot be called. */
  | { readonly kind: 'sealed'; readonly id: string; readonly reveal: () => string | null };

export const NO_CREDENTIAL: CompiledCredential = { kind: 'none' };

/** What authorizes one organization with one provider. */
export interface PlacedCredential {
  readonly source: Pick<SnapshotCredential, 'id' | 'organizationId' | 'providerId'>;
  readonly compiled: CompiledCredential;
}

/** A credential with the row of the registry it was opened from. */
export interface OpenedCredential extends PlacedCredential {
  readonly source: SnapshotCredential;
}

/** Opens the credentials of a snapshot; by id. One that is unchanged since the last snapshot is not opened again. */
export type OpenCredentials = (snapshot: Pick<Snapshot, 'credentials' | 'dataKeys'>) => ReadonlyMap<string, OpenedCredential>;

/**
 * @param deriveKey of the installation's secrets. @param onBadCredential told of one that was altered, moved or sealed under
 *   another master key; the error names its place and nothing of its content.
 */
export function createCredentialOpener(
  deriveKey: Secrets['deriveKey'],
  onBadCredential: (credentialId: string, error: unknown) => void,
): OpenCredentials {
  let before: ReadonlyMap<string, OpenedCredential> = new Map();
  return (snapshot) => {
    const rows = new Map(snapshot.dataKeys.map((row) => [row.id, row]));
    const opened = new Map<string, KeyObject>();
    const dataKeyOf = (credential: SnapshotCredential): KeyObject => {
      const known = opened.get(credential.dataKeyId);
      const row = rows.get(credential.dataKeyId);
      if (row === undefined || row.organizationId !== credential.organizationId) {
        throw new Error(`${credential.id} names no data key of its organization`);
      }
      const key = known ?? openRow(row, deriveKey);
      opened.set(row.id, key);
      return key;
    };
    const next = new Map<string, OpenedCredential>();
    for (const source of snapshot.credentials) {
      const known = before.get(source.id);
      if (known !== undefined && isSame(known.source, source)) {
        next.set(source.id, known);
        continue;
      }
      let secret: string | null = null;
      try {
        const place = { credentialId: source.id, providerId: source.providerId };
        secret = openCredential(dataKeyOf(source), Buffer.from(source.sealed, 'base64url'), place);
      } catch (error) {
        onBadCredential(source.id, error);
      }
      next.set(source.id, { source, compiled: { kind: 'sealed', id: source.id, reveal: () => secret } });
    }
    before = next;
    return next;
  };
}

function openRow(row: SnapshotDataKey, deriveKey: Secrets['deriveKey']): KeyObject {
  const organizationId = uuidFromId('organization', row.organizationId);
  if (organizationId === null) throw new Error(`${row.organizationId} is no organization`);
  return openDataKey({ id: row.id, organization_id: organizationId, sealed: Buffer.from(row.sealed, 'base64url') }, deriveKey);
}

function isSame(left: SnapshotCredential, right: SnapshotCredential): boolean {
  return (
    left.sealed === right.sealed &&
    left.dataKeyId === right.dataKeyId &&
    left.providerId === right.providerId &&
    left.organizationId === right.organizationId
  );
}
