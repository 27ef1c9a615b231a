import type { ProviderProtocol } from '../../schema/values/provider-protocol.ts';
import type { AnswerReader } from '../../services/proxy/providers/provider.ts';
import { PROVIDERS } from '../../services/proxy/providers/registry.ts';
import type { CompiledModel } from '../../services/proxy/snapshot/compiled-model.ts';

/** How a provider's answers to chat completions are read. */
export function chatAnswersOf(protocol: ProviderProtocol): AnswerReader {
  const operation = PROVIDERS[protocol].operations.chatCompletions;
  if (operation === undefined) throw new Error(`${protocol} serves no chat completions`);
  const request = { model: 'test/model', messages: [{}] };
  const asked = { bytes: Buffer.from(JSON.stringify(request)), request, outputTokens: null };
  return operation(asked, targetOf(protocol), { requestId: 'req_1', nowMs: 0, modelRequested: request.model }).answers;
}

function targetOf(protocol: ProviderProtocol): CompiledModel {
  const baseUrl = 'http://provider.test/v1';
  return {
    id: 'mdl_1',
    name: 'test/model',
    provider: { id: 'prv_1', organizationId: null, name: 'test', protocol, baseUrl, credential: null, options: {} },
    credential: { kind: 'none' },
    upstreamModel: 'model',
    createdAt: 0,
    contextWindow: null,
    maxOutputTokens: null,
    prices: [],
  };
}
