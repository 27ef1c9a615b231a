import type { Selectable, Updateable } from 'kysely';
import type { TeamTable } from '../../schema/tables/team.table.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { Change } from './change.ts';
import { differences, mintRowId, recordChange } from './change.ts';
import { lockOwn, nameTaken, nextVersion, requireOwn } from './own-rows.ts';

export type Team = Selectable<TeamTable>;

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
    .catch(taken(input.name));
  return { team, auditEventId: await recordTeam(change, 'team.create', team, {}, { name: team.name }) };
}

/** @throws RegistryError `not_found`, `archived`, `version_conflict`, `name_taken`. */
export async function updateTeam(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number; readonly name: string },
): Promise<{ team: Team; auditEventId: string }> {
  const before = await lockTeam(change, input);
  const team = await write(change, before, { name: input.name }).catch(taken(input.name));
  return { team, auditEventId: await recordTeam(change, 'team.update', team, before, { name: input.name }) };
}

/** Takes a team out of use; its keys keep serving and its history stays. @throws RegistryError `not_found`, `archived`, `version_conflict`. */
export async function archiveTeam(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number },
): Promise<{ team: Team; auditEventId: string }> {
  const before = await lockTeam(change, input);
  const after = { archived_at: new Date(change.clock.now()) };
  const team = await write(change, before, after);
  return { team, auditEventId: await recordTeam(change, 'team.archive', team, before, after) };
}

/** The live team of this organization with this uuid, or a refusal that names `path`. */
export function requireTeam(change: Change, id: string, path: readonly string[]): Promise<Team> {
  return requireOwn(change, change.trx.selectFrom('teams').selectAll(), 'team', id, path);
}

function lockTeam(change: Change, input: { readonly id: string; readonly expectedVersion: number }): Promise<Team> {
  return lockOwn(change, change.trx.selectFrom('teams').selectAll(), 'team', input);
}

function write(change: Change, before: Team, after: Updateable<TeamTable>): Promise<Team> {
  return change.trx
    .updateTable('teams')
    .set({ ...after, ...nextVersion(change, before) })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

function taken(name: string): (error: unknown) => never {
  return nameTaken(`A live team named ${name} exists.`);
}

function recordTeam(change: Change, action: string, team: Team, before: object, after: Record<string, unknown>): Promise<string> {
  return recordChange(change, {
    action,
    targets: [{ type: 'team', id: idFromUuid('team', team.id), name: team.name }],
    changes: differences({ ...before }, after),
  });
}
