import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import { GraphQLError } from 'graphql';
import type { GraphqlContext } from './context.ts';
import { decodeNodeId, encodeNodeId } from './global-id.ts';
import { notFound } from './not-found.ts';
import type { Permission } from './permission.ts';
import { allows, permissionToRead } from './permission.ts';

export interface SchemaTypes {
  Context: GraphqlContext;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    Date: { Input: string; Output: string };
    /** Milliseconds. */
    Duration: { Input: number; Output: number };
    /** Pico-USD, both ways. */
    Decimal: { Input: bigint; Output: bigint };
    BigInt: { Input: bigint; Output: bigint };
    Cursor: { Input: string; Output: string };
    JSON: { Input: unknown; Output: unknown };
  };
  AuthScopes: { permission: Permission };
  DefaultAuthStrategy: 'all';
  DefaultEdgesNullability: { list: false; items: false };
  DefaultNodeNullability: false;
  DefaultFieldNullability: false;
}

/**
 * The builder every type is made with. Fields are non-null unless they say otherwise. Permissions are checked on root fields,
 * where a whole page is authorized once; tenancy is the ports' business (services/api) and row-level security's.
 */
export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [RelayPlugin, DataloaderPlugin, ScopeAuthPlugin],
  defaultFieldNullability: false,
  relay: {
    clientMutationId: 'omit',
    cursorType: 'String',
    encodeGlobalID: (typename, id) => encodeNodeId(typename, String(id)),
    decodeGlobalID: decodeNodeId,
    edgesFieldOptions: { nullable: { list: false, items: false } },
    nodeFieldOptions: { nullable: false },
    nodesOnConnection: true,
    nodeTypeOptions: { description: 'Anything with an id that can be asked for again by it.' },
    nodeQueryOptions: {
      description: 'Any object by its id.',
      nullable: true,
      authScopes: (_root, { id }, context) => allows(context.viewer.permissions, permissionToRead(id.typename)),
      resolve: async (_root, { id }, _context, _info, resolveNode) => {
        const node = await resolveNode(id);
        if (node == null) throw notFound();
        return node;
      },
    },
    nodesQueryOptions: {
      description: 'Objects by their ids, at most 100, in that order; null for each that there is not.',
      authScopes: (_root, { ids }, context) => ids.every(({ typename }) => allows(context.viewer.permissions, permissionToRead(typename))),
    },
  },
  scopeAuth: {
    defaultStrategy: 'all',
    // Streams are authorized event by event where they are fed, not once at their start.
    authorizeOnSubscribe: true,
    authScopes: (context) => ({ permission: (asked) => allows(context.viewer.permissions, asked) }),
    unauthorizedError: (_parent, _context, info) =>
      new GraphQLError(`This key may not use ${info.parentType.name}.${info.fieldName}.`, { extensions: { code: 'FORBIDDEN' } }),
  },
});

builder.queryType({ description: 'Reads. Everything is seen from within the organization of the key that asks.' });
builder.mutationType({
  description:
    'Changes. Each takes one `input` and answers with the entity, or with typed `errors`; its audit event commits in the same transaction.',
});
builder.subscriptionType({
  description: 'Live data out of the sequenced journal, resumable: every event carries a `cursor`, every field takes it as `after`.',
});
