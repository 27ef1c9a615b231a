import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { GatewayError } from '../../schema/errors.ts';
import { CHAT_COMPLETIONS } from '../../schema/http/chat-completions.ts';
import { EMBEDDINGS } from '../../schema/http/embeddings.ts';
import { PROVIDER_ENDPOINTS, servesEndpoint } from '../../schema/http/endpoints.ts';
import { GENERATE_CONTENT } from '../../schema/http/generate-content.ts';
import { MESSAGES } from '../../schema/http/messages.ts';
import { RESPONSES } from '../../schema/http/responses.ts';
import type { ProviderProtocol } from '../../schema/values/provider-protocol.ts';
import { PROVIDER_PROTOCOLS } from '../../schema/values/provider-protocol.ts';
import { joined } from '../../services/proxy/body/sent-body.ts';
import type { CallContext, PreparedCall } from '../../services/proxy/providers/provider.ts';
import { PROVIDERS } from '../../services/proxy/providers/registry.ts';
import type { CompiledModel } from '../../services/proxy/snapshot/compiled-model.ts';
import { PROVIDER_ACCESS } from '../../services/registry/provider-access.ts';
import { testTarget } from '../harness/conversations.ts';

const page = await readFile(new URL('../../docs/providers.md', import.meta.url), 'utf8');

/** What a provider's own table says, by the name of the row. */
function tableOf(protocol: ProviderProtocol): ReadonlyMap<string, string> {
  const anchor = new RegExp(`^\\| \\[\`${protocol}\`\\]\\(#(.+?)\\)`, 'm').exec(page)?.[1];
  const section = page
    .split(/^## /m)
    .find((text) => text.split('\n')[0]?.toLowerCase().replaceAll(',', '').replaceAll(' ', '-') === anchor);
  const rows = [...(section ?? '').matchAll(/^\| (.+?) \| (.+) \|$/gm)].map(([, name = '', text = '']) => [name, text] as const);
  return new Map([...rows, ...(section?.includes('```yaml') ? [['example', 'a file'] as const] : [])]);
}

const context: CallContext = {
  requestId: 'req_1',
  nowMs: 0,
  modelRequested: 'm',
  headers: {},
  isSharedAccount: false,
};
const message = { role: 'user', content: 'hello' };

/** One request of each dialect with a member that nobody knows: who passes it on changes nothing. */
const asking: Readonly<Record<string, (protocol: ProviderProtocol, target: CompiledModel) => PreparedCall | undefined>> = {
  [CHAT_COMPLETIONS]: (protocol, target) => {
    const request = { model: 'm', messages: [message], invented: 1 };
    return PROVIDERS[protocol].operations.chatCompletions?.({ ...written(request), request }, target, context);
  },
  [RESPONSES]: (protocol, target) => {
    const request = { model: 'm', input: 'hello', invented: 1 };
    return PROVIDERS[protocol].operations.responses?.({ ...written(request), request }, target, context);
  },
  [MESSAGES]: (protocol, target) => {
    const request = { model: 'm', max_tokens: 9, messages: [message], invented: 1 };
    return PROVIDERS[protocol].operations.messages?.({ ...written(request), request }, target, context);
  },
  [EMBEDDINGS]: (protocol, target) => {
    const request = { model: 'm', input: 'hello', invented: 1 };
    return PROVIDERS[protocol].operations.embeddings?.({ ...written(request), request }, target, context);
  },
  [GENERATE_CONTENT]: (protocol, target) => {
    const body = { contents: [{ role: 'user', parts: [{ text: 'hello' }] }], invented: 1 };
    const request = { model: 'm', method: 'generateContent' as const, isEventStream: false, body };
    return PROVIDERS[protocol].operations.generateContent?.({ ...written(body), request }, target, context);
  },
};

const written = (body: object) => ({ bytes: Buffer.from(JSON.stringify(body)), outputTokens: null, media: null });

/** Where one protocol stands for several: one of each, by model or by address. */
const kinds: Partial<Record<ProviderProtocol, readonly { readonly model?: string; readonly baseUrl?: string }[]>> = {
  openai: [{ baseUrl: 'https://api.openai.com/v1' }, { baseUrl: 'http://vllm.internal:8000/v1' }],
  bedrock: [
    { model: 'us.amazon.nova-2-lite-v1:0' },
    { model: 'anthropic.claude-sonnet-4-5-20250929-v1:0' },
    { model: 'amazon.titan-embed-text-v2:0' },
  ],
  vertex: [{ model: 'gemini-2.5-pro' }, { model: 'claude-sonnet-4-5@20250929' }],
};

function targetsOf(protocol: ProviderProtocol): readonly CompiledModel[] {
  return (kinds[protocol] ?? [{}]).map(({ model = 'm', baseUrl = 'http://127.0.0.1:9' }) => {
    const target = testTarget(model);
    return { ...target, provider: { ...target.provider, protocol, baseUrl } };
  });
}

type Direction = 'native' | 'translated';

/** Null where models of that kind are refused. */
function directionOf(endpoint: string, protocol: ProviderProtocol, target: CompiledModel): Direction | null {
  try {
    const call = asking[endpoint]?.(protocol, target);
    // Of all other endpoints there is one dialect.
    return call === undefined || joined(call.body).includes('invented') ? 'native' : 'translated';
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'endpoint_not_supported') return null;
    throw error;
  }
}

/** Which of its endpoints a provider has itself, in the application's dialect, and which in another; both, where its models differ. */
function directionsOf(protocol: ProviderProtocol): Readonly<Record<Direction, Set<string>>> {
  const found = { native: new Set<string>(), translated: new Set<string>() };
  for (const endpoint of PROVIDER_ENDPOINTS.filter((path) => servesEndpoint(protocol, path))) {
    for (const target of targetsOf(protocol)) {
      const direction = directionOf(endpoint, protocol, target);
      if (direction !== null) found[direction].add(endpoint);
    }
  }
  return found;
}

test.each(PROVIDER_PROTOCOLS)(
  'the table of %s says what is native, what is translated, its credentials, and has an example',
  (protocol) => {
    const table = tableOf(protocol);
    const named = (row: string) => new Set([...(table.get(row) ?? '').matchAll(/`(\/v1[^`]*)`/g)].map(([, path]) => path));
    expect({ native: named('native'), translated: named('translated') }).toEqual(directionsOf(protocol));
    expect(table.get('credentials')?.includes('cannot be tried')).toBe(PROVIDER_ACCESS[protocol].trialPath === null);
    expect(table.has('example')).toBe(true);
  },
);
