import { GatewayError } from '../../../schema/errors.ts';
import type { SpeechRequest } from '../../../schema/http/speech.ts';
import { SPEECH, speechBody } from '../../../schema/http/speech.ts';
import { openaiErrors } from '../answer/openai-errors.ts';
import { tokenBound } from '../budgets/token-bound.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';

/** A byte of text is a fifteenth of a second of speech, at a quarter of the speed four; a second is some twenty tokens. */
const TOKENS_PER_BYTE = 8;
const LEAST_TOKENS = 4_096;

/** `POST /v1/audio/speech`. */
export const speech: ProviderEndpoint<SpeechRequest> = {
  path: SPEECH,
  errors: openaiErrors,
  parse: (value) => {
    if (speechBody.is(value)) return value;
    throw new GatewayError('invalid_request', speechBody.fault(value));
  },
  model: ({ model }) => model,
  stream: ({ stream_format }) => stream_format === 'sse',
  usageAsked: () => true,
  choices: () => 1,
  endUser: () => null,
  outputLimit: () => 0,
  bound: (_request, bytes, model) => {
    const outputLimit = Math.max(LEAST_TOKENS, bytes.length * TOKENS_PER_BYTE);
    return tokenBound({ textBytes: bytes.length, otherParts: 0, outputLimit, choices: 1 }, model, null);
  },
  operation: (operations) => operations.speech,
};
