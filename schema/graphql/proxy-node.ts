import { idFromUuid } from '../values/ids.ts';
import { builder } from './builder.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { ProxyRow } from './ports/lease-reads.ts';

const ProxyNodeState = builder.enumType('ProxyNodeState', {
  description:
    'LIVE: it was heard of within five minutes. SILENT: it was not; what it leases stays held. LOST: it was silent for a day or a person said so; what it holds is lost until it comes back, or a person releases it.',
  values: ['LIVE', 'SILENT', 'LOST'] as const,
});

export const ProxyNode = builder.objectRef<ProxyRow>('ProxyNode').implement({
  description: 'One proxy with its folder, over all its boots: what leases belong to. It serves all organizations.',
  fields: (t) => ({
    id: t.id({ resolve: ({ id }) => idFromUuid('node', id) }),
    epoch: t.expose('epoch', { type: 'BigInt', nullable: true, description: 'Grows with each boot. Null with `lastSeenAt`.' }),
    state: t.field({
      type: ProxyNodeState,
      resolve: ({ lostAt, isSilent }) => (lostAt !== null ? ('LOST' as const) : isSilent ? ('SILENT' as const) : ('LIVE' as const)),
    }),
    lastSeenAt: t.expose('seenAt', {
      type: 'DateTime',
      nullable: true,
      description: 'A living proxy says each second that it is. Null: known by what it booked alone.',
    }),
    lostAt: t.expose('lostAt', { type: 'DateTime', nullable: true, description: 'Since when it counts as lost.' }),
  }),
});

builder.queryFields((t) => ({
  proxyNodes: t.connection({
    type: ProxyNode,
    description: 'Every proxy that ever registered with this database, the first first.',
    authScopes: { permission: 'installation:admin' },
    resolve: async (_root, args, context) => {
      const identity = listIdentity('proxyNodes', null);
      const request = parsePage(args, identity);
      return connectionOf(await context.leases.proxies(request), request, identity, (row) => ({ sort: row.id, id: row.id }));
    },
  }),
}));
