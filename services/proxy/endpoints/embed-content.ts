import { GatewayError } from '../../../schema/errors.ts';
import type { EmbedContentRequest } from '../../../schema/http/embed-content.ts';
import { batchEmbedContentsBody, EMBED_CONTENT, EMBED_CONTENT_ALSO_AT, embedContentBody } from '../../../schema/http/embed-content.ts';
import { googleErrors } from '../answer/google-errors.ts';
import { contentAddress } from './content-address.ts';
import { embedContentBound } from './embed-content-bound.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';

/** `POST /v1beta/models/{model}:embedContent` and `:batchEmbedContents`, Google's dialect. */
export const embedContent: ProviderEndpoint<EmbedContentRequest> = {
  path: EMBED_CONTENT,
  alsoAt: EMBED_CONTENT_ALSO_AT,
  errors: googleErrors,
  parse: (value, rest) => {
    const { model, method } = contentAddress(rest, ['embedContent', 'batchEmbedContents']);
    if (method === 'embedContent') {
      if (embedContentBody.is(value)) return { model, method, body: value };
      throw new GatewayError('invalid_request', embedContentBody.fault(value));
    }
    if (batchEmbedContentsBody.is(value)) return { model, method: 'batchEmbedContents', body: value };
    throw new GatewayError('invalid_request', batchEmbedContentsBody.fault(value));
  },
  model: ({ model }) => model,
  stream: () => false,
  usageAsked: () => false,
  choices: () => 1,
  endUser: () => null,
  // Its answer is no text, which the limit of a route could shorten.
  outputLimit: () => 0,
  bound: embedContentBound,
  operation: (operations) => operations.embedContent,
};
