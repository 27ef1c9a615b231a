import { COUNT_CONTENT_TOKENS } from '../../../../schema/http/count-content-tokens.ts';
import { EMBEDDINGS } from '../../../../schema/http/embeddings.ts';
import { COUNT_TOKENS } from '../../../../schema/http/messages.ts';
import { bridged } from '../../conversation/bridge.ts';
import type { ApplicationDialect } from '../../conversation/dialect.ts';
import { chatCompletionsDialect } from '../../dialects/chat-completions/chat-completions-dialect.ts';
import { bridgedEmbeddings } from '../../dialects/embeddings/bridged-embeddings.ts';
import { generateContentDialect } from '../../dialects/generate-content/generate-content-dialect.ts';
import { messagesDialect } from '../../dialects/messages/messages-dialect.ts';
import { responsesDialect } from '../../dialects/responses/responses-dialect.ts';
import type { CompiledModel } from '../../snapshot/compiled-model.ts';
import { readReportedMessageUsage } from '../anthropic/reported-usage.ts';
import { nativeGenerateContent } from '../gemini/native.ts';
import { nativeCountTokens } from '../gemini/native-methods.ts';
import { normalizeGeminiUsage } from '../gemini/usage.ts';
import { onlyWhere } from '../only-where.ts';
import { BILLING_OF_FAILURE, billingOfStatus } from '../openai/billing.ts';
import type { Operation, Provider } from '../provider.ts';
import { vertexEmbed } from './embed.ts';
import { rawCounts, rawMessages } from './native.ts';
import { vertexClaudeDialect } from './vertex-claude-dialect.ts';
import { vertexGeminiDialect } from './vertex-gemini-dialect.ts';

/** Vertex AI of Google Cloud. Project and location are in the base URL. */
export const vertexProvider: Provider = {
  protocol: 'vertex',
  operations: {
    chatCompletions: translated(chatCompletionsDialect),
    messages: byPublisher(bridged(messagesDialect, vertexGeminiDialect), rawMessages),
    countTokens: onlyWhere(isClaude, COUNT_TOKENS, rawCounts),
    responses: translated(responsesDialect),
    generateContent: byPublisher(nativeGenerateContent('/publishers/google/models/'), bridged(generateContentDialect, vertexClaudeDialect)),
    countContentTokens: onlyWhere(isOfGoogle, COUNT_CONTENT_TOKENS, nativeCountTokens('/publishers/google/models/')),
    embeddings: onlyWhere(isOfGoogle, EMBEDDINGS, bridgedEmbeddings(vertexEmbed)),
  },
  readUsage: (reported) =>
    reported.input_tokens === undefined ? { ...normalizeGeminiUsage(reported), costPico: null } : readReportedMessageUsage(reported),
  billingOfStatus,
  billingOfFailure: (kind) => BILLING_OF_FAILURE[kind],
};

function isClaude({ upstreamModel }: CompiledModel): boolean {
  return upstreamModel.startsWith('claude');
}

function isOfGoogle(target: CompiledModel): boolean {
  return !isClaude(target);
}

function translated<Request>(application: ApplicationDialect<Request>): Operation<Request> {
  return byPublisher(bridged(application, vertexGeminiDialect), bridged(application, vertexClaudeDialect));
}

/** Each publisher's models speak its dialect. */
function byPublisher<Request>(gemini: Operation<Request>, claude: Operation<Request>): Operation<Request> {
  return (asked, target, context) => (isClaude(target) ? claude : gemini)(asked, target, context);
}
