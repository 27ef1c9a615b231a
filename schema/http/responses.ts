import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BodyCheck } from './body-check.ts';
import { createBodyCheck } from './body-check.ts';

/** Where the proxy serves it, by POST. */
export const RESPONSES = '/v1/responses';

const Nullable = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

/**
 * Body of `POST /v1/responses`, as far as the gateway relies on it: what routes, bounds and prices the request. `input` may be left out where a stored
 * prompt or a conversation has it. Everything else passes to a provider that speaks this API untouched.
 */
export const ResponsesRequest = Type.Object({
  model: Type.String({ minLength: 1, maxLength: 256 }),
  input: Nullable(Type.Union([Type.String(), Type.Array(Type.Object({}))])),
  tools: Nullable(Type.Array(Type.Object({}))),
  stream: Nullable(Type.Boolean()),
  max_output_tokens: Nullable(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
  background: Nullable(Type.Boolean()),
  previous_response_id: Nullable(Type.String()),
  conversation: Nullable(Type.Union([Type.String(), Type.Object({})])),
  prompt: Nullable(Type.Object({})),
  service_tier: Nullable(Type.String({ maxLength: 64 })),
  user: Nullable(Type.String({ maxLength: 256 })),
});
export type ResponsesRequest = Static<typeof ResponsesRequest>;

/** Checks what is to be a request for a response. */
export const responsesBody: BodyCheck<ResponsesRequest> = createBodyCheck(Compile(ResponsesRequest), 'a request for a response');
