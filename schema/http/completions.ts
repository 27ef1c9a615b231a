import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BodyCheck } from './body-check.ts';
import { createBodyCheck } from './body-check.ts';

/** Where the proxy serves it, by POST. */
export const COMPLETIONS = '/v1/completions';

const Nullable = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

/** Body of `POST /v1/completions`, as far as the gateway relies on it. `prompt` is a text, several of them, the tokens of one or of several. */
export const CompletionRequest = Type.Object({
  model: Type.String({ minLength: 1, maxLength: 256 }),
  prompt: Nullable(Type.Union([Type.String(), Type.Array(Type.Unknown())])),
  stream: Nullable(Type.Boolean()),
  stream_options: Nullable(Type.Object({ include_usage: Nullable(Type.Boolean()) })),
  n: Nullable(Type.Integer({ minimum: 1, maximum: 128 })),
  best_of: Nullable(Type.Integer({ minimum: 0, maximum: 128 })),
  max_tokens: Nullable(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  user: Nullable(Type.String({ maxLength: 256 })),
});
export type CompletionRequest = Static<typeof CompletionRequest>;

/** Checks what is to be a completion request. */
export const completionBody: BodyCheck<CompletionRequest> = createBodyCheck(Compile(CompletionRequest), 'a completion request');
