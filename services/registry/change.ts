import type { Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { mintUuid } from '../../schema/values/ids.ts';
import type { AuditActor, AuditChange, AuditOrigin, AuditTarget } from '../journal/append-audit.ts';
import { appendAuditEvent } from '../journal/append-audit.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';

/**
 * Who changes what, in which transaction. Every registry write takes one, so that no row can change without its audit event:
 * they commit together or not at all.
 */
export interface Change {
  readonly trx: Transaction<Database>;
  /** uuid of the organization whose objects are changed. */
  readonly organizationId: string;
  readonly actor: AuditActor;
  readonly origin: AuditOrigin;
  readonly clock: Clock;
  readonly random: Random;
}

export type RegistryErrorCode =
  | 'not_found'
  | 'name_taken'
  | 'version_conflict'
  | 'managed_by_file'
  | 'invalid'
  | 'already_revoked'
  | 'archived';

/** An expected refusal of a registry write. `path` names the offending input field, outermost first. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: RegistryErrorCode;
  readonly path: readonly string[];

  constructor(code: RegistryErrorCode, message: string, path: readonly string[] = []) {
    super(message);
    this.code = code;
    this.path = path;
  }
}

/** A fresh uuid for a row made by this change. */
export function mintRowId(change: Change): string {
  return mintUuid(change.clock.now(), change.random.bytes(10));
}

type AuditEntry = { readonly action: string; readonly targets: readonly AuditTarget[]; readonly changes: readonly AuditChange[] };

/**
 * Books a write: appends its audit event and bumps the registry's revision, which makes the proxies fetch a new snapshot.
 * @returns the uuid of the audit event.
 */
export async function recordChange(change: Change, entry: AuditEntry): Promise<string> {
  const id = await recordAct(change, entry);
  // Last, because it locks the row that every other writer needs, for as long as this transaction takes to commit.
  await change.trx.updateTable('registry_revision').set({ revision: sql<bigint>`revision + 1` }).execute();
  return id;
}

/** Books a write that no proxy has to hear of. @returns the uuid of the audit event. */
export async function recordAct(change: Change, entry: AuditEntry): Promise<string> {
  const id = mintRowId(change);
  await appendAuditEvent(change.trx, {
    id,
    organizationId: change.organizationId,
    occurredAt: new Date(change.clock.now()),
    actor: change.actor,
    origin: change.origin,
    ...entry,
  });
  return id;
}

/** The fields that differ, as the audit event shows them. Values are what the row holds; secrets have no place in `after`. */
export function differences(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): AuditChange[] {
  return Object.entries(after)
    .filter(([field, value]) => JSON.stringify(before[field] ?? null) !== JSON.stringify(value ?? null))
    .map(([field, value]) => ({ field, from: before[field] ?? null, to: value ?? null }));
}

/**
 * Checks what an update of a versioned row needs: that it exists, is live, is not owned by a file and is the version expected.
 * @throws RegistryError
 */
export function requireChangeable<
  Row extends { readonly version: number; readonly managed_by?: string | null; readonly archived_at?: Date | null },
>(row: Row | undefined, what: string, expectedVersion: number | null): Row {
  if (row === undefined) throw new RegistryError('not_found', `There is no such ${what}.`, ['id']);
  if (row.archived_at != null) throw new RegistryError('archived', `This ${what} is archived.`, ['id']);
  if (row.managed_by != null) {
    throw new RegistryError(
      'managed_by_file',
      `This ${what} is owned by the configuration file entry ${row.managed_by}; change it there.`,
      ['id'],
    );
  }
  if (expectedVersion !== null && row.version !== expectedVersion) {
    throw new RegistryError('version_conflict', `This ${what} is at version ${row.version}, not ${expectedVersion}; read it again.`, [
      'expectedVersion',
    ]);
  }
  return row;
}
