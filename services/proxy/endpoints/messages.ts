import { GatewayError } from '../../../schema/errors.ts';
import type { CountTokensRequest, MessagesRequest } from '../../../schema/http/messages.ts';
import { COUNT_TOKENS, countTokensBody, MESSAGES, messagesBody } from '../../../schema/http/messages.ts';
import { anthropicErrors } from '../answer/anthropic-errors.ts';
import { messagesBound, messagesOutputLimit } from './messages-bound.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';

/** Longest end user that an entry names. */
const MAX_END_USER = 256;

/** `POST /v1/messages`, Anthropic's dialect. */
export const messages: ProviderEndpoint<MessagesRequest> = {
  path: MESSAGES,
  errors: anthropicErrors,
  body: 'media',
  parse: (value) => {
    if (messagesBody.is(value)) return value;
    throw new GatewayError('invalid_request', messagesBody.fault(value));
  },
  model: ({ model }) => model,
  stream: ({ stream }) => stream === true,
  usageAsked: () => true,
  choices: () => 1,
  endUser: ({ metadata }) => {
    const id = metadata?.user_id ?? null;
    return id === null || id.length > MAX_END_USER ? null : id;
  },
  outputLimit: messagesOutputLimit,
  bound: messagesBound,
  operation: (operations) => operations.messages,
};

/** `POST /v1/messages/count_tokens`: how long a prompt is, which costs nothing. */
export const countTokens: ProviderEndpoint<CountTokensRequest> = {
  path: COUNT_TOKENS,
  errors: anthropicErrors,
  body: 'media',
  parse: (value) => {
    if (countTokensBody.is(value)) return value;
    throw new GatewayError('invalid_request', countTokensBody.fault(value));
  },
  model: ({ model }) => model,
  stream: () => false,
  usageAsked: () => false,
  choices: () => 1,
  endUser: () => null,
  outputLimit: () => 0,
  bound: () => ({ input: 0, output: 0 }),
  operation: (operations) => operations.countTokens,
};
