import type { ProviderProtocol } from '../../schema/values/provider-protocol.ts';
import type { AnswerReader, CallContext, Operation } from '../../services/proxy/providers/provider.ts';
import { PROVIDERS } from '../../services/proxy/providers/registry.ts';
import { testTarget } from './test-target.ts';

const CONTEXT: CallContext = { requestId: 'req_1', nowMs: 0, modelRequested: 'test/model', headers: {}, isSharedAccount: false };

/** How a provider's answers to chat completions are read. */
export function chatAnswersOf(protocol: ProviderProtocol): AnswerReader {
  return answersTo(protocol, PROVIDERS[protocol].operations.chatCompletions, {
    model: 'test/model',
    messages: [{ role: 'user', content: 'hello' }],
  });
}

/** How those of one that serves the Responses API itself are read. */
export function responseAnswersOf(protocol: ProviderProtocol): AnswerReader {
  return answersTo(protocol, PROVIDERS[protocol].operations.responses, { model: 'test/model', input: 'hello' });
}

function answersTo<Request>(protocol: ProviderProtocol, operation: Operation<Request> | undefined, request: Request): AnswerReader {
  if (operation === undefined) throw new Error(`${protocol} does not serve it`);
  const target = testTarget(protocol);
  const provider = { ...target.provider, options: { servesResponses: true } };
  const asked = { bytes: Buffer.from(JSON.stringify(request)), media: null, request, outputTokens: null };
  return operation(asked, { ...target, provider }, CONTEXT).answers;
}
