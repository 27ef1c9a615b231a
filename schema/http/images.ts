import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BodyCheck } from './body-check.ts';
import { createBodyCheck } from './body-check.ts';

/** Where the proxy serves them, by POST. */
export const IMAGE_GENERATIONS = '/v1/images/generations';
export const IMAGE_EDITS = '/v1/images/edits';

const Nullable = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

/** Body of `POST /v1/images/generations`, as far as the gateway relies on it. */
export const ImageRequest = Type.Object({
  model: Type.String({ minLength: 1, maxLength: 256 }),
  prompt: Type.String(),
  n: Nullable(Type.Integer({ minimum: 1, maximum: 128 })),
  stream: Nullable(Type.Boolean()),
  user: Nullable(Type.String({ maxLength: 256 })),
});
export type ImageRequest = Static<typeof ImageRequest>;

/** Checks what is to be a request for images. */
export const imageBody: BodyCheck<ImageRequest> = createBodyCheck(Compile(ImageRequest), 'a request for images');

/** Body of `POST /v1/images/edits` where it is JSON; the pictures are of many forms, `{"image_url"}` and `{"file_id"}` among them. */
export const ImageEditBody = Type.Object({
  ...ImageRequest.properties,
  images: Nullable(Type.Array(Type.Unknown(), { maxItems: 128 })),
  mask: Type.Optional(Type.Unknown()),
});
export type ImageEditBody = Static<typeof ImageEditBody>;

/** Checks what is to be a request to change images. */
export const imageEditBody: BodyCheck<ImageEditBody> = createBodyCheck(Compile(ImageEditBody), 'a request to change images');
