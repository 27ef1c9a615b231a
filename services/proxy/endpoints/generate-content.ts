import { GatewayError } from '../../../schema/errors.ts';
import type { GenerateContentRequest } from '../../../schema/http/generate-content.ts';
import { GENERATE_CONTENT, GENERATE_CONTENT_V1, generateContentBody } from '../../../schema/http/generate-content.ts';
import { googleErrors } from '../answer/google-errors.ts';
import { contentAddress } from './content-address.ts';
import { generateContentBound, generateContentChoices, generateContentLimit } from './generate-content-bound.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';

/** `POST /v1beta/models/{model}:generateContent` and `:streamGenerateContent`, Google's dialect. */
export const generateContent: ProviderEndpoint<GenerateContentRequest> = {
  path: GENERATE_CONTENT,
  alsoAt: [GENERATE_CONTENT_V1],
  errors: googleErrors,
  body: 'media',
  parse: (value, rest) => {
    const { model, method, query } = contentAddress(rest, ['generateContent', 'streamGenerateContent']);
    if (!generateContentBody.is(value)) throw new GatewayError('invalid_request', generateContentBody.fault(value));
    if (method === 'generateContent') return { model, method, isEventStream: false, body: value };
    return { model, method: 'streamGenerateContent', isEventStream: new URLSearchParams(query).get('alt') === 'sse', body: value };
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
