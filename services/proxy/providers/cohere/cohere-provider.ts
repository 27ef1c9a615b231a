import { bridged } from '../../conversation/bridge.ts';
import type { ProviderDialect } from '../../conversation/dialect.ts';
import { chatCompletionsDialect } from '../../dialects/chat-completions/chat-completions-dialect.ts';
import { bridgedEmbeddings } from '../../dialects/embeddings/bridged-embeddings.ts';
import { generateContentDialect } from '../../dialects/generate-content/generate-content-dialect.ts';
import { messagesDialect } from '../../dialects/messages/messages-dialect.ts';
import { responsesDialect } from '../../dialects/responses/responses-dialect.ts';
import { BILLING_OF_FAILURE, billingOfStatus } from '../openai/billing.ts';
import { readRefusal } from '../openai/failure.ts';
import type { Provider } from '../provider.ts';
import { cohereEmbed } from './embed.ts';
import { meaningOf } from './failure.ts';
import { readCohereUsage } from './reported-usage.ts';
import { writeRequest } from './request.ts';
import { rerank } from './rerank.ts';
import { readAnswer } from './response.ts';
import { CohereStreamReader } from './stream.ts';

/** Cohere's v2 chat. */
export const cohereDialect: ProviderDialect = {
  writeRequest,
  isStream: (contentType) => contentType.includes('text/event-stream'),
  readAnswer,
  createStreamReader: (sink) => new CohereStreamReader(sink),
  readRefusal: (status, headers, body) => readRefusal(status, headers, body, meaningOf),
};

export const cohereProvider: Provider = {
  protocol: 'cohere',
  operations: {
    chatCompletions: bridged(chatCompletionsDialect, cohereDialect),
    messages: bridged(messagesDialect, cohereDialect),
    responses: bridged(responsesDialect, cohereDialect),
    generateContent: bridged(generateContentDialect, cohereDialect),
    embeddings: bridgedEmbeddings(cohereEmbed),
    rerank,
  },
  readUsage: readCohereUsage,
  billingOfStatus,
  billingOfFailure: (kind) => BILLING_OF_FAILURE[kind],
};
