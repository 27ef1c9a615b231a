import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BodyCheck } from './body-check.ts';
import { createBodyCheck } from './body-check.ts';

/** Where the proxy serves it, by POST. */
export const CHAT_COMPLETIONS = '/v1/chat/completions';

const Nullable = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]));
const TokenLimit = Nullable(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }));

/**
 * Body of `POST /v1/chat/completions`, as far as the gateway relies on it: what routes, bounds and prices the request.
 * Everything else passes to the provider untouched, whatever it is, so that a field invented tomorrow works today.
 */
export const ChatCompletionRequest = Type.Object({
  model: Type.String({ minLength: 1, maxLength: 256 }),
  messages: Type.Array(Type.Object({}), { minItems: 1 }),
  stream: Nullable(Type.Boolean()),
  stream_options: Nullable(Type.Object({ include_usage: Nullable(Type.Boolean()) })),
  n: Nullable(Type.Integer({ minimum: 1, maximum: 128 })),
  max_tokens: TokenLimit,
  max_completion_tokens: TokenLimit,
  service_tier: Nullable(Type.String({ maxLength: 64 })),
  user: Nullable(Type.String({ maxLength: 256 })),
});
export type ChatCompletionRequest = Static<typeof ChatCompletionRequest>;

/** Checks what is to be a chat completion request. */
export const chatCompletionBody: BodyCheck<ChatCompletionRequest> = createBodyCheck(
  Compile(ChatCompletionRequest),
  'a chat completion request',
);
