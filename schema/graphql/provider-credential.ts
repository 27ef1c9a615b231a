import { builder } from './builder.ts';
import { requireUuid } from './global-id.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { ProviderCredentialRow } from './ports/upstream-reads.ts';
import { Provider } from './provider.ts';
import { Versioned } from './versioned.ts';

export const ProviderCredential = builder.loadableNodeRef('ProviderCredential', {
  id: { resolve: (row: ProviderCredentialRow) => row.id },
  load: async (ids: string[], context) => [...(await context.registry.credentialsById(ids))],
});

ProviderCredential.implement({
  description: 'What lets the organization in at a provider. The secret can be replaced and never be read.',
  interfaces: [Versioned],
  fields: (t) => ({
    name: t.exposeString('name'),
    provider: t.field({ type: Provider, nullable: true, resolve: (row) => row.provider_id }),
    keyHint: t.string({
      nullable: true,
      description: 'The last four characters of the secret; null where it is too short to show any.',
      resolve: ({ hint }) => (hint === '' ? null : `…${hint}`),
    }),
    rotatedAt: t.expose('rotated_at', { type: 'DateTime', description: 'When the secret was set.' }),
    lastVerifiedAt: t.expose('verified_at', { type: 'DateTime', nullable: true }),
    verifyError: t.exposeString('verify_error', {
      nullable: true,
      description: 'Why the last verification failed; null where it did not, or where there was none.',
    }),
    managedBy: t.exposeString('managed_by', { nullable: true }),
    archivedAt: t.expose('archived_at', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked: the secret is gone since.',
    }),
  }),
});

builder.queryFields((t) => ({
  providerCredentials: t.connection({
    type: ProviderCredential,
    description: 'Credentials in order of creation. Without a route, a provider is called with the oldest that lives.',
    authScopes: { permission: 'credential:read' },
    args: { providerId: t.arg.id(), includeArchived: t.arg.boolean({ defaultValue: false, required: true }) },
    resolve: async (_root, args, context) => {
      const filter = {
        providerId: args.providerId == null ? null : requireUuid('Provider', args.providerId),
        includeArchived: args.includeArchived,
      };
      const identity = listIdentity('providerCredentials', filter);
      const request = parsePage(args, identity);
      const page = await context.registry.credentials(request, filter);
      return connectionOf(page, request, identity, (row) => ({ sort: row.id, id: row.id }));
    },
  }),
}));
