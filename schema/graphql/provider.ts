import { builder } from './builder.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { ProviderRow } from './ports/registry-reads.ts';
import { Versioned } from './versioned.ts';

export const Provider = builder.loadableNodeRef('Provider', {
  id: { resolve: (row: ProviderRow) => row.id },
  load: async (ids: string[], context) => [...(await context.registry.providersById(ids))],
});

Provider.implement({
  description: 'An upstream that models are served by. Providers belong to the installation.',
  interfaces: [Versioned],
  fields: (t) => ({
    name: t.exposeString('name'),
    protocol: t.exposeString('protocol'),
    baseUrl: t.exposeString('base_url'),
    hasCredential: t.exposeBoolean('has_credential', { description: 'Whether one is configured; what it is can never be read.' }),
    managedBy: t.exposeString('managed_by', { nullable: true }),
    archivedAt: t.expose('archived_at', { type: 'DateTime', nullable: true }),
  }),
});

builder.queryFields((t) => ({
  providers: t.connection({
    type: Provider,
    description: 'Providers by name.',
    authScopes: { permission: 'model:read' },
    resolve: async (_root, args, context) => {
      const identity = listIdentity('providers', null);
      const request = parsePage(args, identity);
      return connectionOf(await context.registry.providers(request), request, identity, (row) => ({ sort: row.name, id: row.id }));
    },
  }),
}));
