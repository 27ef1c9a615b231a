import { GatewayError } from '../../../schema/errors.ts';
import type { CompletionRequest } from '../../../schema/http/completions.ts';
import { COMPLETIONS, completionBody } from '../../../schema/http/completions.ts';
import { openaiErrors } from '../answer/openai-errors.ts';
import { largestMember } from '../budgets/token-bound.ts';
import { completionBound, promptsOf } from './completion-bound.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';

/** `POST /v1/completions`: what came before chat. */
export const completions: ProviderEndpoint<CompletionRequest> = {
  path: COMPLETIONS,
  errors: openaiErrors,
  parse: (value) => {
    if (completionBody.is(value)) return value;
    throw new GatewayError('invalid_request', completionBody.fault(value));
  },
  model: ({ model }) => model,
  stream: ({ stream }) => stream === true,
  usageAsked: ({ stream_options }) => stream_options?.include_usage === true,
  choices: ({ n, prompt }) => (n ?? 1) * promptsOf(prompt),
  endUser: ({ user }) => user ?? null,
  outputLimit: ({ max_tokens }, bytes) => largestMember(bytes, 'max_tokens', max_tokens),
  bound: completionBound,
  operation: (operations) => operations.completions,
};
