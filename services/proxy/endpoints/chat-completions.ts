import { GatewayError } from '../../../schema/errors.ts';
import type { ChatCompletionRequest } from '../../../schema/http/chat-completions.ts';
import { CHAT_COMPLETIONS, chatCompletionBody } from '../../../schema/http/chat-completions.ts';
import { openaiErrors } from '../answer/openai-errors.ts';
import { chatBound, chatOutputLimit } from './chat-bound.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';

/** `POST /v1/chat/completions`. */
export const chatCompletions: ProviderEndpoint<ChatCompletionRequest> = {
  path: CHAT_COMPLETIONS,
  errors: openaiErrors,
  body: 'media',
  parse: (value) => {
    if (chatCompletionBody.is(value)) return value;
    throw new GatewayError('invalid_request', chatCompletionBody.fault(value));
  },
  model: ({ model }) => model,
  stream: ({ stream }) => stream === true,
  usageAsked: ({ stream_options }) => stream_options?.include_usage === true,
  choices: ({ n }) => n ?? 1,
  endUser: ({ user }) => user ?? null,
  outputLimit: chatOutputLimit,
  bound: chatBound,
  operation: (operations) => operations.chatCompletions,
};
