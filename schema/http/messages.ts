import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BodyCheck } from './body-check.ts';
import { createBodyCheck } from './body-check.ts';

/** Where the proxy serves them, by POST. */
export const MESSAGES = '/v1/messages';
export const COUNT_TOKENS = '/v1/messages/count_tokens';

const counted = {
  model: Type.String({ minLength: 1, maxLength: 256 }),
  messages: Type.Array(Type.Object({}), { minItems: 1 }),
};

/**
 * Body of Anthropic's `POST /v1/messages`, as far as the gateway relies on it: what routes, bounds and prices the request.
 * Everything else passes to the provider untouched, whatever it is, so that a field invented tomorrow works today.
 */
export const MessagesRequest = Type.Object({
  ...counted,
  stream: Type.Optional(Type.Boolean()),
  max_tokens: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  tools: Type.Optional(Type.Array(Type.Object({ type: Type.Optional(Type.Union([Type.String(), Type.Null()])) }))),
  metadata: Type.Optional(Type.Union([Type.Object({ user_id: Type.Optional(Type.Union([Type.String(), Type.Null()])) }), Type.Null()])),
});
export type MessagesRequest = Static<typeof MessagesRequest>;

/** Checks what is to be a request for a message. */
export const messagesBody: BodyCheck<MessagesRequest> = createBodyCheck(Compile(MessagesRequest), 'a request for a message');

/** Body of `POST /v1/messages/count_tokens`, in the same way. */
export const CountTokensRequest = Type.Object(counted);
export type CountTokensRequest = Static<typeof CountTokensRequest>;

/** Checks what is to be a request for a count of tokens. */
export const countTokensBody: BodyCheck<CountTokensRequest> = createBodyCheck(
  Compile(CountTokensRequest),
  'a request for a count of tokens',
);
