import type { Static } from 'typebox';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { BodyCheck } from './body-check.ts';
import { createBodyCheck } from './body-check.ts';

/** Where the proxy serves it, by POST. */
export const SPEECH = '/v1/audio/speech';

/** Body of `POST /v1/audio/speech`, as far as the gateway relies on it. */
export const SpeechRequest = Type.Object({
  model: Type.String({ minLength: 1, maxLength: 256 }),
  input: Type.String(),
  /** `sse`: as events with the usage at their end, else as bytes of sound. */
  stream_format: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()])),
});
export type SpeechRequest = Static<typeof SpeechRequest>;

/** Checks what is to be a request for speech. */
export const speechBody: BodyCheck<SpeechRequest> = createBodyCheck(Compile(SpeechRequest), 'a request for speech');
