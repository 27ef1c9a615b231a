import { GatewayError } from '../../../schema/errors.ts';
import type { EmbeddingsRequest } from '../../../schema/http/embeddings.ts';
import { EMBEDDINGS, embeddingsBody } from '../../../schema/http/embeddings.ts';
import { openaiErrors } from '../answer/openai-errors.ts';
import { embeddingsBound } from './embeddings-bound.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';

/** `POST /v1/embeddings`. */
export const embeddings: ProviderEndpoint<EmbeddingsRequest> = {
  path: EMBEDDINGS,
  errors: openaiErrors,
  parse: (value) => {
    if (embeddingsBody.is(value)) return value;
    throw new GatewayError('invalid_request', embeddingsBody.fault(value));
  },
  model: ({ model }) => model,
  stream: () => false,
  usageAsked: () => false,
  choices: () => 1,
  endUser: ({ user }) => user ?? null,
  // Its answer is no text, which the limit of a route could shorten.
  outputLimit: () => 0,
  bound: embeddingsBound,
  operation: (operations) => operations.embeddings,
};
