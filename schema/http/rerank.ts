import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BodyCheck } from './body-check.ts';
import { createBodyCheck } from './body-check.ts';

/** Where the proxy serves it, by POST. */
export const RERANK = '/v1/rerank';
/** Where clients of Cohere's second API ask for the same. */
export const RERANK_V2 = '/v2/rerank';

/** A text, or what has several: `{title, text}`; some providers take pictures so. */
const Ranked = Type.Union([Type.String(), Type.Record(Type.String(), Type.Unknown())]);
export type Ranked = Static<typeof Ranked>;

/** Body of `POST /v1/rerank`, as far as the gateway relies on it: Cohere's, which everybody else speaks too. */
export const RerankRequest = Type.Object({
  model: Type.String({ minLength: 1, maxLength: 256 }),
  query: Ranked,
  documents: Type.Array(Ranked),
  return_documents: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  /** Of documents that are objects, what is ranked by, in this order. */
  rank_fields: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])),
  max_chunks_per_doc: Type.Optional(Type.Unknown()),
});
export type RerankRequest = Static<typeof RerankRequest>;

/** Checks what is to be a request to rank documents. */
export const rerankBody: BodyCheck<RerankRequest> = createBodyCheck(Compile(RerankRequest), 'a rerank request');
