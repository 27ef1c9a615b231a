import { bridged } from '../../conversation/bridge.ts';
import { chatCompletionsDialect } from '../../dialects/chat-completions/chat-completions-dialect.ts';
import { bridgedEmbeddings } from '../../dialects/embeddings/bridged-embeddings.ts';
import { messagesDialect } from '../../dialects/messages/messages-dialect.ts';
import { responsesDialect } from '../../dialects/responses/responses-dialect.ts';
import { BILLING_OF_FAILURE, billingOfStatus } from '../openai/billing.ts';
import type { Provider } from '../provider.ts';
import { geminiEmbed } from './embed.ts';
import { geminiDialect } from './gemini-dialect.ts';
import { nativeGenerateContent } from './native.ts';
import { nativeCountTokens, nativeEmbedContent } from './native-methods.ts';
import { normalizeGeminiUsage } from './usage.ts';

/** The Gemini API. */
export const geminiProvider: Provider = {
  protocol: 'gemini',
  operations: {
    chatCompletions: bridged(chatCompletionsDialect, geminiDialect),
    messages: bridged(messagesDialect, geminiDialect),
    generateContent: nativeGenerateContent('/models/'),
    countContentTokens: nativeCountTokens('/models/'),
    embedContent: nativeEmbedContent,
    responses: bridged(responsesDialect, geminiDialect),
    embeddings: bridgedEmbeddings(geminiEmbed),
  },
  readUsage: (reported) => ({ ...normalizeGeminiUsage(reported), costPico: null }),
  billingOfStatus,
  billingOfFailure: (kind) => BILLING_OF_FAILURE[kind],
};
