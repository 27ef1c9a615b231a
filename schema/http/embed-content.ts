import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BodyCheck } from './body-check.ts';
import { createBodyCheck } from './body-check.ts';

/** Where the proxy serves Google's `embedContent`, by POST: the model stands in the middle. */
export const EMBED_CONTENT = '/v1beta/models/:embedContent';
/** The same for many at once, and by the version that Google's clients ask for unless they are told another. */
export const EMBED_CONTENT_ALSO_AT = [
  '/v1/models/:embedContent',
  '/v1beta/models/:batchEmbedContents',
  '/v1/models/:batchEmbedContents',
] as const;

/** What is embedded, as far as the gateway relies on it; it may name the model again. */
const Embedded = Type.Object({ content: Type.Object({}) });
const OneBody = Embedded;
const BatchBody = Type.Object({ requests: Type.Array(Embedded, { minItems: 1 }) });

/** Checks what is to be the body of a request for one embedding, and for several. */
export const embedContentBody: BodyCheck<Static<typeof OneBody>> = createBodyCheck(Compile(OneBody), 'a request for an embedding');
export const batchEmbedContentsBody: BodyCheck<Static<typeof BatchBody>> = createBodyCheck(Compile(BatchBody), 'a request for embeddings');

/** A request with what its address says. */
export type EmbedContentRequest =
  | { readonly model: string; readonly method: 'embedContent'; readonly body: Static<typeof OneBody> }
  | { readonly model: string; readonly method: 'batchEmbedContents'; readonly body: Static<typeof BatchBody> };
