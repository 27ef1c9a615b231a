import { builder } from './builder.ts';
import { Count, countCost, countUpTo, LARGEST_CAP } from './count.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { ModelRow } from './ports/registry-reads.ts';
import { PriceSheet } from './price-sheet.ts';
import { Provider } from './provider.ts';
import { Versioned } from './versioned.ts';

export const Model = builder.loadableNodeRef('Model', {
  id: { resolve: (row: ModelRow) => row.id },
  load: async (ids: string[], context) => [...(await context.registry.modelsById(ids))],
});

Model.implement({
  description: 'What applications ask for. A model belongs to its provider.',
  interfaces: [Versioned],
  fields: (t) => ({
    name: t.exposeString('name', { description: '`provider/model`.' }),
    upstreamModel: t.exposeString('upstream_model'),
    provider: t.field({ type: Provider, nullable: true, resolve: (row) => row.provider_id }),
    contextWindow: t.expose('context_window', { type: 'BigInt', nullable: true }),
    maxOutputTokens: t.expose('max_output_tokens', { type: 'BigInt', nullable: true }),
    isPriced: t.loadable({
      type: 'Boolean',
      description: 'Whether a price holds now. Requests to a model without one are unrated, never free.',
      load: async (ids: string[], context) => (await context.registry.pricesOfModels(ids, context.now())).map((price) => price !== null),
      resolve: (row) => row.id,
    }),
    prices: t.loadable({
      type: PriceSheet,
      nullable: true,
      byPath: true,
      description: 'The price that holds at an instant, now where none is given; null where there is none.',
      args: { at: t.arg({ type: 'DateTime' }) },
      load: async (ids: string[], context, { at }) => [...(await context.registry.pricesOfModels(ids, at ?? context.now()))],
      resolve: (row) => row.id,
    }),
    managedBy: t.exposeString('managed_by', { nullable: true }),
    archivedAt: t.expose('archived_at', { type: 'DateTime', nullable: true }),
  }),
});

const ModelFilterInput = builder.inputType('ModelFilter', {
  fields: (t) => ({
    provider: t.string({ description: 'Name of a provider.' }),
    search: t.string({ description: 'Part of the name, in any case.' }),
    isPriced: t.boolean(),
  }),
});

builder.queryFields((t) => ({
  models: t.connection(
    {
      type: Model,
      description: 'Models by name.',
      authScopes: { permission: 'model:read' },
      args: { filter: t.arg({ type: ModelFilterInput }) },
      resolve: async (_root, args, context) => {
        const filter = {
          provider: args.filter?.provider ?? null,
          search: args.filter?.search ?? null,
          isPriced: args.filter?.isPriced ?? null,
        };
        const identity = listIdentity('models', filter);
        const request = parsePage(args, identity);
        return {
          ...connectionOf(await context.registry.models(request, filter), request, identity, (row) => ({ sort: row.name, id: row.id })),
          count: (cap: number) => context.registry.countModels(filter, cap),
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
