import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BodyCheck } from './body-check.ts';
import { createBodyCheck } from './body-check.ts';

/** Where the proxy serves it, by POST. */
export const EMBEDDINGS = '/v1/embeddings';

/**
 * Body of `POST /v1/embeddings`, as far as the gateway relies on it. `input` is a text, several of them, the tokens of one or of several; some
 * providers take objects for pictures.
 */
export const EmbeddingsRequest = Type.Object({
  model: Type.String({ minLength: 1, maxLength: 256 }),
  input: Type.Union([Type.String(), Type.Array(Type.Unknown())]),
  encoding_format: Type.Optional(Type.Unknown()),
  dimensions: Type.Optional(Type.Unknown()),
  user: Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()])),
});
export type EmbeddingsRequest = Static<typeof EmbeddingsRequest>;

/** Checks what is to be an embeddings request. */
export const embeddingsBody: BodyCheck<EmbeddingsRequest> = createBodyCheck(Compile(EmbeddingsRequest), 'an embeddings request');
