import { GatewayError } from '../../../schema/errors.ts';
import type { GenerateContentRequest } from '../../../schema/http/generate-content.ts';
import { GENERATE_CONTENT, GENERATE_CONTENT_V1, generateContentBody } from '../../../schema/http/generate-content.ts';
import { googleErrors } from '../answer/google-errors.ts';
import { generateContentBound, generateContentChoices, generateContentLimit } from './generate-content-bound.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';

/** Longest address of a model, percent-encoded, as elsewhere. */
const MAX_ADDRESS = 1_024;
const ADDRESS = /^([^?]+):(generateContent|streamGenerateContent)(?:\?(.*))?$/;

/** `POST /v1beta/models/{model}:generateContent` and `:streamGenerateContent`, Google's dialect. */
export const generateContent: ProviderEndpoint<GenerateContentRequest> = {
  path: GENERATE_CONTENT,
  alsoAt: GENERATE_CONTENT_V1,
  errors: googleErrors,
  parse: (value, rest) => {
    const { model, method, query } = addressed(rest);
    if (!generateContentBody.is(value)) throw new GatewayError('invalid_request', generateContentBody.fault(value));
    const isEventStream = method === 'streamGenerateContent' && new URLSearchParams(query).get('alt') === 'sse';
    return { model, method, isEventStream, body: value };
  },
  model: ({ model }) => model,
  stream: ({ isEventStream }) => isEventStream,
  usageAsked: () => true,
  choices: ({ body }) => generateContentChoices(body),
  endUser: () => null,
  outputLimit: ({ body }) => generateContentLimit(body),
  bound: generateContentBound,
  operation: (operations) => operations.generateContent,
};

function addressed(rest: string): { readonly model: string; readonly method: GenerateContentRequest['method']; readonly query: string } {
  const [, encoded = '', method, query = ''] = rest.length > MAX_ADDRESS ? [] : (ADDRESS.exec(rest) ?? []);
  if (method !== 'generateContent' && method !== 'streamGenerateContent') {
    const message =
      "Of Google's methods generateContent and streamGenerateContent are served here; ask a provider for others by `/{provider}/…`.";
    throw new GatewayError('endpoint_not_found', { message });
  }
  try {
    return { model: decodeURIComponent(encoded), method, query };
  } catch {
    throw new GatewayError('invalid_request', { message: 'The address of the request is not valid.' });
  }
}
