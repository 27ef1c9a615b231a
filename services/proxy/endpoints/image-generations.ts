import { GatewayError } from '../../../schema/errors.ts';
import type { ImageRequest } from '../../../schema/http/images.ts';
import { IMAGE_GENERATIONS, imageBody } from '../../../schema/http/images.ts';
import { openaiErrors } from '../answer/openai-errors.ts';
import { largestMember, tokenBound } from '../budgets/token-bound.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';

/** Of one image at the best quality, several times what is known of any model, with those that are shown on the way to it. */
export const IMAGE_TOKENS = 32_768;

/** `POST /v1/images/generations`. */
export const imageGenerations: ProviderEndpoint<ImageRequest> = {
  path: IMAGE_GENERATIONS,
  errors: openaiErrors,
  parse: (value) => {
    if (imageBody.is(value)) return value;
    throw new GatewayError('invalid_request', imageBody.fault(value));
  },
  model: ({ model }) => model,
  stream: ({ stream }) => stream === true,
  usageAsked: () => true,
  choices: ({ n }) => n ?? 1,
  endUser: ({ user }) => user ?? null,
  outputLimit: () => 0,
  bound: ({ n }, bytes, model) => {
    const images = largestMember(bytes, 'n', n) ?? 1;
    const counted = { textBytes: bytes.length, otherParts: 0, outputLimit: IMAGE_TOKENS, choices: images };
    return { ...tokenBound(counted, model, null), images };
  },
  operation: (operations) => operations.imageGenerations,
};
