import { OUTPUT_LIMIT_FIELDS } from '../values/output-cap.ts';
import { PROVIDER_PROTOCOLS } from '../values/provider-protocol.ts';
import { builder } from './builder.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { ProviderRow } from './ports/registry-reads.ts';
import { Versioned } from './versioned.ts';

export const OnClientGone = builder.enumType('OnClientGone', {
  description: 'What happens to a call of the provider when the application leaves in the middle of a stream.',
  values: {
    DRAIN: { value: 'drain' as const, description: 'It is read on to its usage, within bounds.' },
    ABORT: { value: 'abort' as const, description: 'It is cut at once.' },
  },
});

export const OutputLimitFieldName = builder.enumType('OutputLimitField', {
  description: 'Name of the field by which a provider is told the limit of an answer.',
  values: { MAX_TOKENS: { value: 'max_tokens' as const }, MAX_COMPLETION_TOKENS: { value: 'max_completion_tokens' as const } },
});

/** `AZURE_OPENAI` for `azure-openai`. */
export const ProviderProtocolName = builder.enumType('ProviderProtocol', {
  description:
    'How a provider is spoken to. `OPENAI` is OpenAI and every server that is compatible with it, by its base URL; docs/providers.md has the rest.',
  values: Object.fromEntries(PROVIDER_PROTOCOLS.map((protocol) => [protocol.toUpperCase().replaceAll('-', '_'), { value: protocol }])),
});

type Options = ProviderRow['options'];
const numberIn = (options: Options, name: string): number | null => {
  const value = options[name];
  return typeof value === 'number' ? value : null;
};

const ProviderSettings = builder.objectRef<Options>('ProviderSettings').implement({
  description: "Bounds of calls to the provider; null: the proxy's own default.",
  fields: (t) => ({
    connectTimeout: t.field({ type: 'Duration', nullable: true, resolve: (options) => numberIn(options, 'connectTimeoutMs') }),
    firstByteTimeout: t.field({ type: 'Duration', nullable: true, resolve: (options) => numberIn(options, 'firstByteTimeoutMs') }),
    idleTimeout: t.field({ type: 'Duration', nullable: true, resolve: (options) => numberIn(options, 'idleTimeoutMs') }),
    maxConnections: t.int({ nullable: true, resolve: (options) => numberIn(options, 'maxConnections') }),
    onClientGone: t.field({
      type: OnClientGone,
      nullable: true,
      resolve: ({ onClientGone }) => (onClientGone === 'drain' || onClientGone === 'abort' ? onClientGone : null),
    }),
    outputLimitField: t.field({
      type: OutputLimitFieldName,
      nullable: true,
      description:
        "null: `max_completion_tokens` for OpenAI's own hosts, `max_tokens` for others. Only what a route injects is told by it.",
      resolve: ({ outputLimitField }) => OUTPUT_LIMIT_FIELDS.find((field) => field === outputLimitField) ?? null,
    }),
    apiVersion: t.string({
      nullable: true,
      description: "Of Azure's dated APIs.",
      resolve: ({ apiVersion }) => (typeof apiVersion === 'string' ? apiVersion : null),
    }),
    servesResponses: t.boolean({
      nullable: true,
      description:
        'Whether `POST /responses` is its own, or translated into chat completions. null: its own where the host is one of OpenAI.',
      resolve: ({ servesResponses }) => (typeof servesResponses === 'boolean' ? servesResponses : null),
    }),
  }),
});

export const Provider = builder.loadableNodeRef('Provider', {
  id: { resolve: (row: ProviderRow) => row.id },
  load: async (ids: string[], context) => [...(await context.registry.providersById(ids))],
});

Provider.implement({
  description: 'An upstream that models are served by: one that the installation shares, or one of the organization alone.',
  interfaces: [Versioned],
  fields: (t) => ({
    name: t.exposeString('name'),
    protocol: t.expose('protocol', { type: ProviderProtocolName }),
    baseUrl: t.exposeString('base_url'),
    isShared: t.boolean({
      description: 'It belongs to the installation: every organization sees and uses it, none changes it.',
      resolve: (row) => row.organization_id === null,
    }),
    hasCredential: t.exposeBoolean('has_credential', {
      description: "Whether there is one to call it with, the installation's or the organization's; what it is can never be read.",
    }),
    settings: t.field({ type: ProviderSettings, resolve: (row) => row.options }),
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
