import { TRANSCRIPTIONS, TRANSLATIONS } from '../../../schema/http/audio.ts';
import { openaiErrors } from '../answer/openai-errors.ts';
import type { FormRequest } from '../body/form-request.ts';
import { parseFormRequest } from '../body/form-request.ts';
import type { BoundingModel, TokenBound } from '../budgets/token-bound.ts';
import { tokenBound } from '../budgets/token-bound.ts';
import type { Operations } from '../providers/provider.ts';
import type { ProviderEndpoint } from './provider-endpoint.ts';

/** Of speech that is coded as tightly as any codec does: 4 kbit/s. */
const LEAST_BYTES_PER_SECOND = 500;
/** A second of sound is some ten tokens, and what is said in it fewer. */
const SOUND_TOKENS_PER_SECOND = 32;
const TEXT_TOKENS_PER_SECOND = 16;

/** `POST /v1/audio/transcriptions`. */
export const transcriptions = audioTexts(TRANSCRIPTIONS, (operations) => operations.transcriptions);

/** `POST /v1/audio/translations`. */
export const translations = audioTexts(TRANSLATIONS, (operations) => operations.translations);

function audioTexts(
  path: string,
  operation: (operations: Operations) => Operations['transcriptions'] | Operations['translations'],
): ProviderEndpoint<FormRequest> {
  return {
    path,
    errors: openaiErrors,
    body: 'form',
    parse: parseFormRequest,
    model: ({ model }) => model,
    stream: ({ stream }) => stream,
    usageAsked: () => true,
    choices: () => 1,
    endUser: () => null,
    outputLimit: () => 0,
    bound: audioTextBound,
    operation,
  };
}

/** Bounds it by the longest sound that the bytes can hold. @param bytes of the whole form. */
function audioTextBound({ form }: FormRequest, bytes: Buffer, model: BoundingModel): TokenBound {
  const audioSeconds = Math.ceil(form.fileBytes / LEAST_BYTES_PER_SECOND);
  const textBytes = bytes.length - form.fileBytes + audioSeconds * SOUND_TOKENS_PER_SECOND;
  const outputLimit = audioSeconds * TEXT_TOKENS_PER_SECOND;
  return { ...tokenBound({ textBytes, otherParts: 0, outputLimit, choices: 1 }, model, null), audioSeconds };
}
