import { badInput } from './bad-input.ts';
import { builder } from './builder.ts';
import { requireUuid } from './global-id.ts';
import { expectedVersionField, idempotencyKeyField, MutationPayload, payloadOf } from './mutation-payload.ts';
import { notFound } from './not-found.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';
import type { OrganizationRow } from './ports/registry-reads.ts';
import { Versioned } from './versioned.ts';

const BudgetExceededStatus = builder.enumType('BudgetExceededStatus', {
  description: 'The HTTP status of a request that a budget has no room left for (`insufficient_quota`).',
  values: {
    TOO_MANY_REQUESTS: { value: 429, description: 'With `x-should-retry: false`. What the OpenAI API answers itself.' },
    PAYMENT_REQUIRED: { value: 402, description: 'For clients that retry every 429 whatever its headers say.' },
  },
});

export const Organization = builder.loadableNodeRef('Organization', {
  id: { resolve: (row: OrganizationRow) => row.id },
  load: async (ids: string[], context) => [...(await context.registry.organizationsById(ids))],
});

Organization.implement({
  description: 'A tenant: nothing crosses its border.',
  interfaces: [Versioned],
  fields: (t) => ({
    slug: t.exposeString('slug'),
    name: t.exposeString('name'),
    archivedAt: t.expose('archived_at', { type: 'DateTime', nullable: true }),
    budgetExceededStatus: t.expose('budget_exceeded_status', { type: BudgetExceededStatus }),
  }),
});

builder.queryFields((t) => ({
  organization: t.field({
    type: Organization,
    nullable: true,
    description: "The key's own organization; by slug, another one where the key administers the installation.",
    authScopes: { permission: 'organization:read' },
    args: { slug: t.arg.string() },
    resolve: async (_root, { slug }, context) => {
      if (slug == null) return context.viewer.organizationId;
      const row = await context.registry.organizationBySlug(slug);
      if (row === null) throw notFound();
      return row;
    },
  }),
  organizations: t.connection({
    type: Organization,
    description: 'Every organization of the installation, in order of creation.',
    authScopes: { permission: 'installation:admin' },
    resolve: async (_root, args, context) => {
      const identity = listIdentity('organizations', null);
      const request = parsePage(args, identity);
      return connectionOf(await context.registry.organizations(request), request, identity, (row) => ({ sort: row.id, id: row.id }));
    },
  }),
}));

const OrganizationPayload = (name: string) =>
  builder.objectRef<ChangeOutcome<OrganizationRow>>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({
      organization: t.field({ type: Organization, nullable: true, resolve: ({ row, entityId }) => row ?? entityId }),
    }),
  });

const OrganizationCreateInput = builder.inputType('OrganizationCreateInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    slug: t.string({ required: true, description: 'Lower-case letters, digits and dashes, at most 63; unique in the installation.' }),
    name: t.string({ required: true }),
  }),
});
const OrganizationUpdateInput = builder.inputType('OrganizationUpdateInput', {
  description: 'What is left out stays as it is.',
  fields: (t) => ({
    id: t.id({ required: true }),
    expectedVersion: t.int(expectedVersionField),
    name: t.string(),
    budgetExceededStatus: t.field({ type: BudgetExceededStatus }),
  }),
});

builder.mutationFields((t) => ({
  organizationCreate: t.field({
    type: OrganizationPayload('OrganizationCreatePayload'),
    description: 'Creates an organization. Its audit event stands in the log of the installation.',
    authScopes: { permission: 'installation:admin' },
    args: { input: t.arg({ type: OrganizationCreateInput, required: true }) },
    resolve: (_root, { input }, context) => payloadOf(() => context.changes.organizationCreate(input)),
  }),
  organizationUpdate: t.field({
    type: OrganizationPayload('OrganizationUpdatePayload'),
    description: "Renames the key's own organization, or selects what its requests are refused with.",
    authScopes: { permission: 'organization:update' },
    args: { input: t.arg({ type: OrganizationUpdateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => {
        const { name, budgetExceededStatus } = input;
        if (name === null || budgetExceededStatus === null) throw badInput('`name` and `budgetExceededStatus` cannot be null.');
        return context.changes.organizationUpdate({
          id: requireUuid('Organization', input.id),
          expectedVersion: input.expectedVersion,
          ...(name === undefined ? {} : { name }),
          ...(budgetExceededStatus === undefined ? {} : { budgetExceededStatus }),
        });
      }),
  }),
}));
