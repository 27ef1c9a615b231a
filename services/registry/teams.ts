import type { Selectable } from 'kysely';
import type { TeamTable } from '../../schema/tables/team.table.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import { sqlStateOf } from '../runtime/postgres.ts';
import type { Change } from './change.ts';
import { differences, mintRowId, RegistryError, recordChange, requireChangeable } from './change.ts';

export type Team = Selectable<TeamTable>;

const nameTaken = (name: string) => (error: unknown) => {
  if (sqlStateOf(error) === '23505') throw new RegistryError('name_taken', `A live team named ${name} exists.`, ['name']);
  throw error;
};

/** @throws RegistryError `name_taken` where a live team of the organization has this name, in any case. */
export async function createTeam(change: Change, input: { readonly name: string }): Promise<{ team: Team; auditEventId: string }> {
  const now = new Date(change.clock.now());
  const team = await change.trx
    .insertInto('teams')
    .values({
      id: mintRowId(change),
      organization_id: change.organizationId,
      name: input.name,
      version: 1,
      created_at: now,
      updated_at: now,
      archived_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch(nameTaken(input.name));
  return { team, auditEventId: await recordTeam(change, 'team.create', team, {}, { name: team.name }) };
}

/** @throws RegistryError `not_found`, `archived`, `version_conflict`, `name_taken`. */
export async function updateTeam(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number; readonly name: string },
): Promise<{ team: Team; auditEventId: string }> {
  const before = await lockTeam(change, input);
  const team = await change.trx
    .updateTable('teams')
    .set({ name: input.name, version: before.version + 1, updated_at: new Date(change.clock.now()) })
    .where('id', '=', input.id)
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch(nameTaken(input.name));
  return { team, auditEventId: await recordTeam(change, 'team.update', team, before, { name: input.name }) };
}

/** Takes a team out of use; its keys keep serving and its history stays. @throws RegistryError `not_found`, `archived`, `version_conflict`. */
export async function archiveTeam(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number },
): Promise<{ team: Team; auditEventId: string }> {
  const before = await lockTeam(change, input);
  const now = new Date(change.clock.now());
  const team = await change.trx
    .updateTable('teams')
    .set({ archived_at: now, version: before.version + 1, updated_at: now })
    .where('id', '=', input.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return { team, auditEventId: await recordTeam(change, 'team.archive', team, before, { archived_at: now }) };
}

/** The live team of this organization with this uuid, or a refusal that names `path`. */
export async function requireTeam(change: Change, id: string, path: readonly string[]): Promise<Team> {
  const team = await change.trx
    .selectFrom('teams')
    .selectAll()
    .where('id', '=', id)
    .where('organization_id', '=', change.organizationId)
    .where('archived_at', 'is', null)
    .executeTakeFirst();
  if (team === undefined) throw new RegistryError('not_found', 'There is no such team.', path);
  return team;
}

async function lockTeam(change: Change, input: { readonly id: string; readonly expectedVersion: number }): Promise<Team> {
  const row = await change.trx
    .selectFrom('teams')
    .selectAll()
    .where('id', '=', input.id)
    .where('organization_id', '=', change.organizationId)
    .forUpdate()
    .executeTakeFirst();
  return requireChangeable(row, 'team', input.expectedVersion);
}

function recordTeam(change: Change, action: string, team: Team, before: object, after: Record<string, unknown>): Promise<string> {
  return recordChange(change, {
    action,
    targets: [{ type: 'team', id: idFromUuid('team', team.id), name: team.name }],
    changes: differences({ ...before }, after),
  });
}
