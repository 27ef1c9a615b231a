import { builder } from './builder.ts';
import { Count, countCost, countUpTo, LARGEST_CAP } from './count.ts';
import { requireUuid } from './global-id.ts';
import { expectedVersionField, idempotencyKeyField, MutationPayload, payloadOf } from './mutation-payload.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';
import type { TeamRow } from './ports/registry-reads.ts';
import { Versioned } from './versioned.ts';

export const Team = builder.loadableNodeRef('Team', {
  id: { resolve: (row: TeamRow) => row.id },
  load: async (ids: string[], context) => [...(await context.registry.teamsById(ids))],
});

Team.implement({
  description: 'A group of keys within an organization.',
  interfaces: [Versioned],
  fields: (t) => ({
    name: t.exposeString('name'),
    archivedAt: t.expose('archived_at', { type: 'DateTime', nullable: true }),
  }),
});

builder.queryFields((t) => ({
  teams: t.connection(
    {
      type: Team,
      description: 'Teams in order of creation.',
      authScopes: { permission: 'team:read' },
      args: { includeArchived: t.arg.boolean({ defaultValue: false, required: true }) },
      resolve: async (_root, args, context) => {
        const identity = listIdentity('teams', args.includeArchived);
        const request = parsePage(args, identity);
        const page = await context.registry.teams(request, args.includeArchived);
        return {
          ...connectionOf(page, request, identity, (row) => ({ sort: row.id, id: row.id })),
          count: (cap: number) => context.registry.countTeams(args.includeArchived, cap),
        };
      },
    },
    {
      fields: (connection) => ({
        count: connection.field({
          type: Count,
          extensions: countCost,
          args: { cap: connection.arg.int({ defaultValue: LARGEST_CAP, required: true }) },
          resolve: ({ count }, { cap }) => countUpTo(cap, count),
        }),
      }),
    },
  ),
}));

const TeamPayload = (name: string) =>
  builder.objectRef<ChangeOutcome<TeamRow>>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({ team: t.field({ type: Team, nullable: true, resolve: ({ row, entityId }) => row ?? entityId }) }),
  });

const TeamCreateInput = builder.inputType('TeamCreateInput', {
  fields: (t) => ({ idempotencyKey: t.string(idempotencyKeyField), name: t.string({ required: true }) }),
});
const TeamUpdateInput = builder.inputType('TeamUpdateInput', {
  fields: (t) => ({ id: t.id({ required: true }), expectedVersion: t.int(expectedVersionField), name: t.string({ required: true }) }),
});
const TeamArchiveInput = builder.inputType('TeamArchiveInput', {
  fields: (t) => ({ id: t.id({ required: true }), expectedVersion: t.int(expectedVersionField) }),
});

builder.mutationFields((t) => ({
  teamCreate: t.field({
    type: TeamPayload('TeamCreatePayload'),
    authScopes: { permission: 'team:create' },
    args: { input: t.arg({ type: TeamCreateInput, required: true }) },
    resolve: (_root, { input }, context) => payloadOf(() => context.changes.teamCreate(input)),
  }),
  teamUpdate: t.field({
    type: TeamPayload('TeamUpdatePayload'),
    authScopes: { permission: 'team:update' },
    args: { input: t.arg({ type: TeamUpdateInput, required: true }) },
    resolve: (_root, { input }, context) => payloadOf(() => context.changes.teamUpdate({ ...input, id: requireUuid('Team', input.id) })),
  }),
  teamArchive: t.field({
    type: TeamPayload('TeamArchivePayload'),
    description: 'Takes a team out of use; its keys keep serving and its history stays.',
    authScopes: { permission: 'team:archive' },
    args: { input: t.arg({ type: TeamArchiveInput, required: true }) },
    resolve: (_root, { input }, context) => payloadOf(() => context.changes.teamArchive({ ...input, id: requireUuid('Team', input.id) })),
  }),
}));
