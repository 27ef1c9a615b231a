import { builder } from './builder.ts';
import { Model } from './model.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { RouteRow, RouteTargetRow } from './ports/upstream-reads.ts';
import { ProviderCredential } from './provider-credential.ts';
import { Versioned } from './versioned.ts';

export const RouteStrategy = builder.enumType('RouteStrategy', {
  values: {
    SINGLE: { value: 'single' as const, description: 'Always the one target.' },
    WEIGHTED: { value: 'weighted' as const, description: 'One of the targets by chance, as often as its weight says.' },
  },
});

const RouteTarget = builder.objectRef<RouteTargetRow>('RouteTarget').implement({
  fields: (t) => ({
    model: t.field({ type: Model, nullable: true, resolve: (row) => row.model_id }),
    weight: t.exposeInt('weight', { description: 'Its share is this over the sum of all.' }),
    credential: t.field({
      type: ProviderCredential,
      nullable: true,
      description: 'null: the one the organization uses with this provider anyway.',
      resolve: (row) => row.credential_id,
    }),
  }),
});

export const Route = builder.loadableNodeRef('Route', {
  id: { resolve: (row: RouteRow) => row.id },
  load: async (ids: string[], context) => [...(await context.registry.routesById(ids))],
});

Route.implement({
  description: 'A name behind which one or more models stand. Applications ask for it as `model: "<name>"` or `"route/<name>"`.',
  interfaces: [Versioned],
  fields: (t) => ({
    name: t.exposeString('name'),
    strategy: t.field({ type: RouteStrategy, resolve: (row) => row.strategy }),
    targets: t.loadableList({
      type: RouteTarget,
      description: 'In the order they were given.',
      load: async (ids: string[], context) => (await context.registry.targetsOfRoutes(ids)).map((targets) => [...targets]),
      resolve: (row) => row.id,
    }),
    maxOutputTokens: t.expose('max_output_tokens', {
      type: 'BigInt',
      nullable: true,
      description:
        'Most tokens of one choice of the answer to a request that sets no limit itself: budgets hold no more for it. null: the most that the model can.',
    }),
    injectsMaxTokens: t.exposeBoolean('injects_max_tokens', {
      description:
        'That cap is written into such requests, so that the provider is held to it, and `x-turnpike-warning` says so. Else what a longer answer costs overruns its budgets.',
    }),
    managedBy: t.exposeString('managed_by', { nullable: true }),
    archivedAt: t.expose('archived_at', { type: 'DateTime', nullable: true }),
  }),
});

builder.queryFields((t) => ({
  routes: t.connection({
    type: Route,
    description: 'Routes in order of creation.',
    authScopes: { permission: 'route:read' },
    args: { includeArchived: t.arg.boolean({ defaultValue: false, required: true }) },
    resolve: async (_root, args, context) => {
      const filter = { includeArchived: args.includeArchived };
      const identity = listIdentity('routes', filter);
      const request = parsePage(args, identity);
      return connectionOf(await context.registry.routes(request, filter), request, identity, (row) => ({ sort: row.id, id: row.id }));
    },
  }),
}));
