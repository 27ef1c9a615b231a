import type { ErrorDialect } from './error-dialect.ts';
import { openaiEnvelope, openaiErrors } from './openai-errors.ts';

/** Clients refuse an event without a number. Nobody counts what passes unread, so it is the last there can be: behind every other, whatever came. */
const LAST_NUMBER = 2 ** 31 - 1;

/**
 * OpenAI's errors as its Responses API has them: the same envelope; in a stream an event named `error`, which has its words in `error` as it comes over the
 * wire, and at its top as it is documented.
 */
export const responsesErrors: ErrorDialect = {
  ...openaiErrors,
  event: (words, requestId) => {
    const { error } = openaiEnvelope(words, requestId);
    const { code, message, param } = error;
    const event = { type: 'error', code, message, param, error, sequence_number: LAST_NUMBER };
    return Buffer.from(`event: error\ndata: ${JSON.stringify(event)}\n\n`, 'utf8');
  },
};
