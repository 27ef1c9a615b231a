import { GatewayError } from '../../../schema/errors.ts';
import type { RerankRequest } from '../../../schema/http/rerank.ts';
import { RERANK, RERANK_V2, rerankBody } from '../../../schema/http/rerank.ts';
import { openaiErrors } from '../answer/openai-errors.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';
import { rerankBound } from './rerank-bound.ts';

/** `POST /v1/rerank`: documents in the order of how much they say to a query. */
export const rerank: ProviderEndpoint<RerankRequest> = {
  path: RERANK,
  alsoAt: [RERANK_V2],
  errors: openaiErrors,
  parse: (value) => {
    if (rerankBody.is(value)) return value;
    throw new GatewayError('invalid_request', rerankBody.fault(value));
  },
  model: ({ model }) => model,
  stream: () => false,
  usageAsked: () => false,
  choices: () => 1,
  endUser: () => null,
  // Scores are no text, which the limit of a route could shorten.
  outputLimit: () => 0,
  bound: rerankBound,
  operation: (operations) => operations.rerank,
};
