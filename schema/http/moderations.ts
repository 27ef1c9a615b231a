import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BodyCheck } from './body-check.ts';
import { createBodyCheck } from './body-check.ts';

/** Where the proxy serves it, by POST. */
export const MODERATIONS = '/v1/moderations';

/** What is asked where a request names no model, as OpenAI has it. */
export const DEFAULT_MODERATION_MODEL = 'omni-moderation-latest';

/** Body of `POST /v1/moderations`, as far as the gateway relies on it. */
export const ModerationRequest = Type.Object({
  model: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 256 }), Type.Null()])),
  input: Type.Union([Type.String(), Type.Array(Type.Unknown())]),
});
export type ModerationRequest = Static<typeof ModerationRequest>;

/** Checks what is to be a moderation request. */
export const moderationBody: BodyCheck<ModerationRequest> = createBodyCheck(Compile(ModerationRequest), 'a moderation request');
