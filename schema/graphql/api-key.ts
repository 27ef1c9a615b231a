import type { RequestOverride as RequestOverrideName } from '../http/request-overrides.ts';
import { isRequestOverride } from '../http/request-overrides.ts';
import { KEY_ENVIRONMENTS } from '../values/virtual-key.ts';
import { builder } from './builder.ts';
import { Count, countCost, countUpTo, LARGEST_CAP } from './count.ts';
import { requireUuid } from './global-id.ts';
import { NameValue, nameValues } from './name-value.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { ApiKeyRow, ApiKeySecretRow } from './ports/registry-reads.ts';
import { readable } from './readable.ts';
import { ServiceAccount } from './service-account.ts';
import { Team } from './team.ts';
import { User } from './user.ts';
import { Versioned } from './versioned.ts';

export const ApiKeyKind = builder.enumType('ApiKeyKind', {
  values: {
    MODEL: { value: 'ak', description: 'Calls models through the proxy.' },
    SERVICE_ACCOUNT: { value: 'sa', description: 'Calls models as a service account.' },
    PERSONAL: { value: 'pat', description: 'Calls models as a person.' },
    ADMIN: { value: 'adm', description: 'Calls this API, never models.' },
  },
});
export const KeyEnvironment = builder.enumType('KeyEnvironment', {
  values: Object.fromEntries(KEY_ENVIRONMENTS.map((environment) => [environment.toUpperCase(), { value: environment }])),
});
export const RequestOverride = builder.enumType('RequestOverride', {
  description: 'What a request may decide for itself by a header, where its key allows it.',
  values: {
    TIMEOUT: { value: 'timeout', description: '`x-turnpike-timeout`: how many seconds the whole of it may take, 1 to 3600.' },
    STREAM_TIMEOUT: {
      value: 'stream-timeout',
      description: '`x-turnpike-stream-timeout`: how many seconds a stream may take to its first event, 1 to 3600.',
    },
  } satisfies Record<string, { readonly value: RequestOverrideName; readonly description: string }>,
});
const ApiKeyStatus = builder.enumType('ApiKeyStatus', { values: ['ACTIVE', 'EXPIRED', 'DISABLED', 'REVOKED'] as const });
const SecretStatus = builder.enumType('KeySecretStatus', { values: ['ACTIVE', 'GRACE', 'EXPIRED', 'REVOKED'] as const });

const KeySecret = builder.objectRef<ApiKeySecretRow>('KeySecret').implement({
  description: 'One secret of a key, as it may be shown. A key has at most two that live.',
  fields: (t) => ({
    display: t.exposeString('display', { description: 'Never the whole: `tpk_ak_live_7f3KabcD…x9Qd`.' }),
    createdAt: t.expose('created_at', { type: 'DateTime' }),
    expiresAt: t.expose('expires_at', { type: 'DateTime', nullable: true }),
    leakedAt: t.expose('leaked_at', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was handed in as leaked, which revoked it: see the audit event `api_key.leaked`.',
    }),
    status: t.field({
      type: SecretStatus,
      resolve: (secret, _args, context) => {
        if (secret.revoked_at !== null) return 'REVOKED' as const;
        if (secret.expires_at !== null && secret.expires_at <= context.now()) return 'EXPIRED' as const;
        return secret.is_newest ? ('ACTIVE' as const) : ('GRACE' as const);
      },
    }),
  }),
});

export const ApiKey = builder.loadableNodeRef('ApiKey', {
  id: { resolve: (row: ApiKeyRow) => row.id },
  load: async (ids: string[], context) => [...(await context.registry.apiKeysById(ids))],
});

ApiKey.implement({
  description: 'A key. Its secret is shown once, when it is made.',
  interfaces: [Versioned],
  fields: (t) => ({
    name: t.exposeString('name'),
    kind: t.field({ type: ApiKeyKind, resolve: (row) => row.kind }),
    environment: t.field({ type: KeyEnvironment, resolve: (row) => row.environment }),
    status: t.field({
      type: ApiKeyStatus,
      resolve: (row, _args, context) => {
        if (row.revoked_at !== null) return 'REVOKED' as const;
        if (row.disabled_at !== null) return 'DISABLED' as const;
        return row.expires_at !== null && row.expires_at <= context.now() ? ('EXPIRED' as const) : ('ACTIVE' as const);
      },
    }),
    team: t.field({ type: Team, nullable: true, resolve: (row) => row.team_id }),
    serviceAccount: t.field({
      type: ServiceAccount,
      nullable: true,
      description: 'Whose key it is, of kind SERVICE_ACCOUNT.',
      resolve: (row) => row.service_account_id,
    }),
    user: t.field({
      type: User,
      nullable: true,
      description: 'Whose key it is, where it is a person; null also for who may not read users.',
      resolve: (row, _args, context) => readable(context, 'User', row.user_id),
    }),
    allowedModels: t.exposeStringList('allowed_models', {
      nullable: true,
      description: '`provider/model`, `provider/*`, `route/name` or `route/*`; null: every model.',
    }),
    allowedEndpoints: t.exposeStringList('allowed_endpoints', {
      nullable: true,
      description: 'Paths such as `/v1/chat/completions`; null: every endpoint. Any other is refused with `endpoint_not_allowed`.',
    }),
    allowedCidrs: t.exposeStringList('allowed_cidrs', {
      nullable: true,
      description:
        'Blocks of addresses; null: from everywhere. A client at any other is refused with `address_not_allowed`: the address of its connection counts, not what a header says, unless that is a trusted proxy.',
    }),
    allowedOverrides: t.field({
      type: [RequestOverride],
      description: 'What its requests may decide for themselves. Any other such header is refused with `header_not_allowed`.',
      resolve: (row) => (row.allowed_overrides ?? []).filter(isRequestOverride),
    }),
    permissions: t.exposeStringList('permissions', { description: 'Of an admin key; `*` is everything within the organization.' }),
    tags: t.field({ type: [NameValue], description: 'Put on every request of this key.', resolve: (row) => nameValues(row.tags) }),
    metadata: t.expose('metadata', { type: 'JSON', description: 'Yours to use; the gateway ignores it.' }),
    expiresAt: t.expose('expires_at', { type: 'DateTime', nullable: true }),
    rotateEvery: t.field({
      type: 'Duration',
      nullable: true,
      description: 'How often the key wants a new secret; null: never. Only `apiKeyRotate` makes one.',
      resolve: (row) => (row.rotate_every_seconds === null ? null : row.rotate_every_seconds * 1_000),
    }),
    rotateWithin: t.field({
      type: 'Duration',
      nullable: true,
      description: 'How long a secret works on once the next is due, to the `expiresAt` it has from the start; null: until there is one.',
      resolve: (row) => (row.rotate_within_seconds === null ? null : row.rotate_within_seconds * 1_000),
    }),
    rotationDueAt: t.expose('rotation_due_at', {
      type: 'DateTime',
      nullable: true,
      description: 'When the next secret is due: then there is an audit event `api_key.rotation_due`, once.',
    }),
    lastUsedAt: t.loadable({
      type: 'DateTime',
      nullable: true,
      description:
        'When a request with it was last booked, a refused one included; of an admin key when it was last let in here, to the minute. Null: never.',
      load: async (ids: string[], context) => [...(await context.registry.lastUsesOfKeys(ids))],
      resolve: (row) => row.id,
    }),
    disabledAt: t.expose('disabled_at', { type: 'DateTime', nullable: true }),
    revokedAt: t.expose('revoked_at', { type: 'DateTime', nullable: true }),
    revokeReason: t.exposeString('revoke_reason', { nullable: true }),
    managedBy: t.exposeString('managed_by', {
      nullable: true,
      description: 'The configuration entry that owns it: then it is read-only here.',
    }),
    secrets: t.loadableList({
      type: KeySecret,
      description: 'Newest first.',
      load: async (ids: string[], context) => (await context.registry.secretsOfKeys(ids)).map((secrets) => [...secrets]),
      resolve: (row) => row.id,
    }),
  }),
});

builder.queryFields((t) => ({
  apiKeys: t.connection(
    {
      type: ApiKey,
      description: 'Keys in order of creation.',
      authScopes: { permission: 'api_key:read' },
      args: {
        teamId: t.arg.id(),
        serviceAccountId: t.arg.id(),
        userId: t.arg.id(),
        kind: t.arg({ type: ApiKeyKind }),
        isRotationDue: t.arg.boolean({ defaultValue: false, required: true, description: 'Only those whose next secret is due.' }),
        includeRevoked: t.arg.boolean({ defaultValue: false, required: true }),
      },
      resolve: async (_root, args, context) => {
        const filter = {
          teamId: args.teamId == null ? null : requireUuid('Team', args.teamId),
          serviceAccountId: args.serviceAccountId == null ? null : requireUuid('ServiceAccount', args.serviceAccountId),
          userId: args.userId == null ? null : requireUuid('User', args.userId),
          kind: args.kind ?? null,
          isRotationDue: args.isRotationDue,
          includeRevoked: args.includeRevoked,
        };
        const identity = listIdentity('apiKeys', filter);
        const request = parsePage(args, identity);
        return {
          ...connectionOf(await context.registry.apiKeys(request, filter), request, identity, (row) => ({ sort: row.id, id: row.id })),
          count: (cap: number) => context.registry.countApiKeys(filter, cap),
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
