import { IMAGE_EDITS } from '../../../schema/http/images.ts';
import { openaiErrors } from '../answer/openai-errors.ts';
import type { ImageEditRequest } from '../body/image-edit-request.ts';
import { parseImageEdit } from '../body/image-edit-request.ts';
import { largestMember, tokenBound } from '../budgets/token-bound.ts';
import { IMAGE_TOKENS } from './image-generations.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';

/** `POST /v1/images/edits`: pictures made of others, which are sent along. */
export const imageEdits: ProviderEndpoint<ImageEditRequest> = {
  path: IMAGE_EDITS,
  errors: openaiErrors,
  body: 'form',
  parse: parseImageEdit,
  model: ({ model }) => model,
  stream: ({ stream }) => stream,
  usageAsked: () => true,
  choices: ({ images }) => images,
  endUser: ({ endUser }) => endUser,
  outputLimit: () => 0,
  bound: ({ form, images: asked, pictures, pictureBytes }, bytes, model) => {
    const images = form === null ? Math.max(asked, largestMember(bytes, 'n', asked) ?? 1) : asked;
    // What a picture weighs says nothing of its tokens.
    const counted = { textBytes: bytes.length - pictureBytes, otherParts: pictures, outputLimit: IMAGE_TOKENS, choices: images };
    return { ...tokenBound(counted, model, null), images };
  },
  operation: (operations) => operations.imageEdits,
};
