import type { SelectQueryBuilder } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { sqlStateOf } from '../runtime/postgres.ts';
import type { Change } from './change.ts';
import { RegistryError, requireChangeable } from './change.ts';

/** What a row has that is changed by who names its version, and taken out of use instead of deleted. */
type VersionedRow = { readonly version: number; readonly managed_by?: string | null; readonly archived_at?: Date | null };

/**
 * The organization's own live row with this uuid.
 * @param rows of one table that has `id`, `organization_id` and `archived_at`. @param what a row of it is called.
 * @throws RegistryError `not_found`, which names `path`.
 */
export async function requireOwn<Table extends keyof Database, Row>(
  change: Change,
  rows: SelectQueryBuilder<Database, Table, Row>,
  what: string,
  id: string,
  path: readonly string[],
): Promise<Row> {
  const row = await ofOrganization(change, rows, id).where(sql<boolean>`archived_at is null`).executeTakeFirst();
  if (row === undefined) throw new RegistryError('not_found', `There is no such ${what}.`, path);
  return row;
}

/**
 * The organization's own row with this uuid, held until the change commits.
 * @param rows as of {@link requireOwn}.
 * @throws RegistryError as {@link requireChangeable}.
 */
export async function lockOwn<Table extends keyof Database, Row extends VersionedRow>(
  change: Change,
  rows: SelectQueryBuilder<Database, Table, Row>,
  what: string,
  input: { readonly id: string; readonly expectedVersion: number | null },
): Promise<Row> {
  const row: Row | undefined = await ofOrganization(change, rows, input.id).forUpdate().executeTakeFirst();
  return requireChangeable(row, what, input.expectedVersion);
}

function ofOrganization<Table extends keyof Database, Row>(change: Change, rows: SelectQueryBuilder<Database, Table, Row>, id: string) {
  return rows.where(sql<boolean>`id = ${id} and organization_id = ${change.organizationId}`);
}

/** What every write of a versioned row sets besides its fields. */
export function nextVersion(
  change: Change,
  before: Pick<VersionedRow, 'version'>,
): { readonly version: number; readonly updated_at: Date } {
  return { version: before.version + 1, updated_at: new Date(change.clock.now()) };
}

/** For a write's `catch`: a row that must be unique and is not becomes `name_taken`, any other error stays what it is. */
export function nameTaken(message: string, path: readonly string[] = ['name']): (error: unknown) => never {
  return (error) => {
    throw sqlStateOf(error) === '23505' ? new RegistryError('name_taken', message, path) : error;
  };
}
