import { expect, test } from 'vitest';
import type { ProviderProtocol } from '../../../../../schema/values/provider-protocol.ts';
import { PROVIDERS } from '../../../../../services/proxy/providers/registry.ts';
import type { CompiledModel } from '../../../../../services/proxy/snapshot/compiled-model.ts';
import { testTarget } from '../../../../harness/test-target.ts';

/** Where a response is asked for. */
function pathFor(protocol: ProviderProtocol, baseUrl: string, options: CompiledModel['provider']['options'] = {}): string | undefined {
  const target = testTarget(protocol, baseUrl);
  const request = { model: 'm', input: 'hello' };
  const asked = { request, media: null, bytes: Buffer.from(JSON.stringify(request)), outputTokens: null };
  const context = { requestId: 'req_1', nowMs: 0, modelRequested: 'm', headers: {}, isSharedAccount: false };
  return PROVIDERS[protocol].operations.responses?.(asked, { ...target, provider: { ...target.provider, options } }, context).path;
}

test.each<[ProviderProtocol, baseUrl: string, path: string]>([
  ['openai', 'https://api.openai.com/v1', '/responses'],
  ['openai', 'https://eu.api.openai.com/v1', '/responses'],
  ['openai', 'http://vllm.internal:8000/v1', '/chat/completions'],
  ['openai', 'https://api.openai.com.example/v1', '/chat/completions'],
  ['azure-openai', 'https://mine.services.ai.azure.com/openai/v1', '/responses'],
  ['groq', 'https://api.groq.com/openai/v1', '/responses'],
  ['mistral', 'https://api.mistral.ai/v1', '/chat/completions'],
])('a response of %s at %s is asked for at %s', (protocol, baseUrl, path) => {
  expect(pathFor(protocol, baseUrl)).toBe(path);
});

test('settings of a provider say whether it serves responses where its host does not, and overrule it', () => {
  expect(pathFor('openai', 'http://vllm.internal:8000/v1', { servesResponses: true })).toBe('/responses');
  expect(pathFor('openai', 'https://api.openai.com/v1', { servesResponses: false })).toBe('/chat/completions');
});
