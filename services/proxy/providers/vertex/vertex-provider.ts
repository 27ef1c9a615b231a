import { bridged } from '../../conversation/bridge.ts';
import type { ApplicationDialect } from '../../conversation/dialect.ts';
import { chatCompletionsDialect } from '../../dialects/chat-completions/chat-completions-dialect.ts';
import { messagesDialect } from '../../dialects/messages/messages-dialect.ts';
import { responsesDialect } from '../../dialects/responses/responses-dialect.ts';
import { normalizeGeminiUsage } from '../gemini/usage.ts';
import { BILLING_OF_FAILURE, billingOfStatus } from '../openai/billing.ts';
import type { Operation, Provider } from '../provider.ts';
import { vertexClaudeDialect } from './vertex-claude-dialect.ts';
import { vertexGeminiDialect } from './vertex-gemini-dialect.ts';

/** Vertex AI of Google Cloud. Project and location are in the base URL. */
export const vertexProvider: Provider = {
  protocol: 'vertex',
  operations: {
    chatCompletions: byPublisher(chatCompletionsDialect),
    messages: byPublisher(messagesDialect),
    responses: byPublisher(responsesDialect),
  },
  readUsage: (reported) => ({ ...normalizeGeminiUsage(reported), costPico: null }),
  billingOfStatus,
  billingOfFailure: (kind) => BILLING_OF_FAILURE[kind],
};

/** Each publisher's models speak its dialect. */
function byPublisher<Request>(application: ApplicationDialect<Request>): Operation<Request> {
  const gemini = bridged(application, vertexGeminiDialect);
  const claude = bridged(application, vertexClaudeDialect);
  return (asked, target, context) => (target.upstreamModel.startsWith('claude') ? claude : gemini)(asked, target, context);
}
