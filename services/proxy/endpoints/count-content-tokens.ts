import { GatewayError } from '../../../schema/errors.ts';
import type { CountContentTokensRequest } from '../../../schema/http/count-content-tokens.ts';
import { COUNT_CONTENT_TOKENS, COUNT_CONTENT_TOKENS_V1, countContentTokensBody } from '../../../schema/http/count-content-tokens.ts';
import { googleErrors } from '../answer/google-errors.ts';
import { contentAddress } from './content-address.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';

/** `POST /v1beta/models/{model}:countTokens`: how long contents are, which costs nothing. */
export const countContentTokens: ProviderEndpoint<CountContentTokensRequest> = {
  path: COUNT_CONTENT_TOKENS,
  alsoAt: [COUNT_CONTENT_TOKENS_V1],
  errors: googleErrors,
  parse: (value, rest) => {
    const { model } = contentAddress(rest, ['countTokens']);
    if (!countContentTokensBody.is(value)) throw new GatewayError('invalid_request', countContentTokensBody.fault(value));
    return { model, body: value };
  },
  model: ({ model }) => model,
  stream: () => false,
  usageAsked: () => false,
  choices: () => 1,
  endUser: () => null,
  outputLimit: () => 0,
  bound: () => ({ input: 0, output: 0 }),
  operation: (operations) => operations.countContentTokens,
};
