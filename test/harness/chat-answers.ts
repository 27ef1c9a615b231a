import type { ProviderProtocol } from '../../schema/values/provider-protocol.ts';
import type { AnswerReader } from '../../services/proxy/providers/provider.ts';
import { PROVIDERS } from '../../services/proxy/providers/registry.ts';
import { testTarget } from './test-target.ts';

/** How a provider's answers to chat completions are read. */
export function chatAnswersOf(protocol: ProviderProtocol): AnswerReader {
  const operation = PROVIDERS[protocol].operations.chatCompletions;
  if (operation === undefined) throw new Error(`${protocol} serves no chat completions`);
  const request = { model: 'test/model', messages: [{}] };
  const asked = { bytes: Buffer.from(JSON.stringify(request)), media: null, request, outputTokens: null };
  return operation(asked, testTarget(protocol), {
    requestId: 'req_1',
    nowMs: 0,
    modelRequested: request.model,
    headers: {},
    isSharedAccount: false,
  }).answers;
}
