import { GraphQLError } from 'graphql';
import { idFromUuid } from '../values/ids.ts';
import { badInput } from './bad-input.ts';
import { builder } from './builder.ts';
import type { Permission } from './permission.ts';
import { allows } from './permission.ts';
import type { ChangedObject as ChangedObjectShape, ChangedType, ChangeEvent } from './ports/live-streams.ts';
import { controlTypeOf, StreamEnd, StreamGap, StreamHeartbeat } from './stream.ts';

/** What it takes to be told of changes to each type: the same as to read it. */
const permissionOfType = {
  ORGANIZATION: 'organization:read',
  TEAM: 'team:read',
  API_KEY: 'api_key:read',
  PROVIDER: 'model:read',
  PROVIDER_CREDENTIAL: 'credential:read',
  MODEL: 'model:read',
  ROUTE: 'route:read',
  SERVICE_ACCOUNT: 'service_account:read',
  USER: 'user:read',
  TAG: 'tag:read',
} as const satisfies Record<ChangedType, Permission>;

const isChangedType = (name: string): name is ChangedType => Object.hasOwn(permissionOfType, name);
const changedTypes = Object.keys(permissionOfType).filter(isChangedType);

const ChangeType = builder.enumType('ChangeType', {
  description: 'What can change. A price is a change of its MODEL.',
  values: Object.fromEntries(changedTypes.map((type) => [type, {}])) as Record<ChangedType, object>,
});

const ChangedObject = builder.objectRef<ChangedObjectShape>('ChangedObject').implement({
  fields: (t) => ({
    type: t.field({ type: ChangeType, resolve: ({ type }) => type }),
    id: t.exposeID('id', { description: 'Good for `node`; of a TAG, its key.' }),
  }),
});

const Change = builder.objectRef<ChangeEvent>('Change').implement({
  description: 'What was done to what. It does not say what the object is now: ask for it by its id.',
  fields: (t) => ({
    objects: t.field({
      type: [ChangedObject],
      description: 'Those of the types asked for, the one it is about first. Archiving a provider, say, changes its models as well.',
      resolve: ({ objects }) => objects,
    }),
    action: t.exposeString('action', { description: '`object.verb`, such as `api_key.revoke`.' }),
    at: t.expose('at', { type: 'DateTime' }),
    auditEventId: t.id({ resolve: ({ auditEventId }) => idFromUuid('auditEvent', auditEventId) }),
  }),
});

const ChangeMade = builder.objectRef<ChangeEvent>('ChangeMade').implement({
  description: 'Something of the configuration was changed, and is committed.',
  fields: (t) => ({
    cursor: t.expose('cursor', { type: 'Cursor' }),
    seq: t.expose('position', { type: 'BigInt', description: "Its position in the organization's journal: growing, not dense." }),
    change: t.field({ type: Change, resolve: (event) => event }),
  }),
});

const ChangeStream = builder.unionType('ChangeStream', {
  types: [ChangeMade, StreamHeartbeat, StreamGap, StreamEnd],
  resolveType: (event) => (event.kind === 'change' ? 'ChangeMade' : controlTypeOf(event)),
});

builder.subscriptionFields((t) => ({
  changes: t.field({
    type: ChangeStream,
    description:
      'Changes of the configuration, out of the audit log, each once and in order: none is left out because a reader is slow. ' +
      'Types are those the key may read. What the installation shares is changed by its files, and told to the organization they are applied in; that an ' +
      'organization was made stands in the log of the installation.',
    args: {
      types: t.arg({ type: [ChangeType], description: 'All that the key may read, where it is left out.' }),
      after: t.arg({ type: 'Cursor' }),
    },
    subscribe: (_root, { types: asked, after }, context) => {
      if (asked?.length === 0) throw badInput('`types` names at least one type, or is left out.');
      const readable = changedTypes.filter((type) => allows(context.viewer.permissions, permissionOfType[type]));
      const types = asked == null ? readable : [...new Set(asked)].sort();
      if (types.length === 0 || !types.every((type) => readable.includes(type))) {
        throw new GraphQLError('This key may not read what it asks to be told of.', { extensions: { code: 'FORBIDDEN' } });
      }
      return context.live.changes({
        types,
        permissions: [...new Set(types.map((type) => permissionOfType[type]))],
        // Left out stays left out: a cursor is good for it also after the key may read more.
        identity: asked == null ? null : types,
        after: after ?? null,
      });
    },
    resolve: (event) => event,
  }),
}));
