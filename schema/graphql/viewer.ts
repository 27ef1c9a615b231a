import { ApiKey } from './api-key.ts';
import { builder } from './builder.ts';
import type { RateLimitStatus, ServerInfo, Viewer } from './context.ts';
import { Organization } from './organization.ts';

const ViewerType = builder.objectRef<Viewer>('Viewer').implement({
  description: 'Who asks.',
  fields: (t) => ({
    apiKey: t.field({ type: ApiKey, nullable: true, resolve: (viewer) => viewer.apiKeyId }),
    organization: t.field({ type: Organization, nullable: true, resolve: (viewer) => viewer.organizationId }),
    permissions: t.exposeStringList('permissions'),
  }),
});

const RateLimitStatusType = builder.objectRef<RateLimitStatus>('RateLimitStatus').implement({
  description: 'The bucket that operations of this key are charged to.',
  fields: (t) => ({
    limit: t.exposeInt('limit'),
    remaining: t.exposeInt('remaining'),
    restorePerSecond: t.exposeInt('restorePerSecond'),
    resetAt: t.expose('resetAt', { type: 'DateTime' }),
    cost: t.exposeInt('cost', { description: 'What this operation is charged at most; what it did not use is given back.' }),
    nodeCount: t.exposeInt('nodeCount', { description: 'The most objects of lists that this operation can return.' }),
  }),
});

const ServerInfoType = builder.objectRef<ServerInfo>('ServerInfo').implement({
  fields: (t) => ({
    version: t.exposeString('version'),
    schemaHash: t.exposeString('schemaHash', { description: 'SHA-256 of the printed schema.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime' }),
  }),
});

builder.queryFields((t) => ({
  viewer: t.field({ type: ViewerType, resolve: (_root, _args, context) => context.viewer }),
  rateLimit: t.field({
    type: RateLimitStatusType,
    description: 'With `dryRun`, nothing else of the operation is carried out and nothing is charged.',
    args: { dryRun: t.arg.boolean({ defaultValue: false, required: true }) },
    resolve: (_root, _args, context) => context.rateLimit(),
  }),
  serverInfo: t.field({ type: ServerInfoType, resolve: (_root, _args, context) => context.server }),
}));
