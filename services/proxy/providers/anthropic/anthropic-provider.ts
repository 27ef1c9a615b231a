import { bridged } from '../../conversation/bridge.ts';
import { chatCompletionsDialect } from '../../dialects/chat-completions/chat-completions-dialect.ts';
import { generateContentDialect } from '../../dialects/generate-content/generate-content-dialect.ts';
import { responsesDialect } from '../../dialects/responses/responses-dialect.ts';
import { BILLING_OF_FAILURE, billingOfStatus } from '../openai/billing.ts';
import type { Provider } from '../provider.ts';
import { anthropicDialect } from './anthropic-dialect.ts';
import { nativeCountTokens, nativeMessages } from './native.ts';
import { readReportedMessageUsage } from './reported-usage.ts';

/** Anthropic's own API. */
export const anthropicProvider: Provider = {
  protocol: 'anthropic',
  operations: {
    chatCompletions: bridged(chatCompletionsDialect, anthropicDialect),
    responses: bridged(responsesDialect, anthropicDialect),
    generateContent: bridged(generateContentDialect, anthropicDialect),
    messages: nativeMessages,
    countTokens: nativeCountTokens,
  },
  readUsage: readReportedMessageUsage,
  billingOfStatus,
  billingOfFailure: (kind) => BILLING_OF_FAILURE[kind],
};
