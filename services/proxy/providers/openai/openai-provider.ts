import type { Provider } from '../provider.ts';
import { readChatAnswer } from './answer.ts';
import { BILLING_OF_FAILURE, billingOfStatus } from './billing.ts';
import { ChatStreamReader } from './chat-stream.ts';
import { outputLimitField } from './output-limit-field.ts';
import { readRefusal } from './refusal.ts';
import { prepareChatBody } from './request.ts';

/** OpenAI's protocol, as OpenAI and everyone compatible speaks it. */
export const openaiProvider: Provider = {
  protocol: 'openai',
  chatPath: '/chat/completions',
  credentialHeaders: (credential) => ['authorization', `Bearer ${credential}`],
  prepareChat: (bytes, request, { upstreamModel, provider }, outputTokens) =>
    prepareChatBody(bytes, request, {
      model: upstreamModel,
      outputLimit: outputTokens === null ? null : { field: outputLimitField(provider), tokens: outputTokens },
    }),
  readAnswer: readChatAnswer,
  createStreamReader: (expected, sink) => new ChatStreamReader(expected, sink),
  readRefusal,
  billingOfStatus,
  billingOfFailure: (kind) => BILLING_OF_FAILURE[kind],
};
