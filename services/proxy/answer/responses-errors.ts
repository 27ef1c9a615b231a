import type { ErrorDialect } from './error-dialect.ts';
import { openaiEnvelope, openaiErrors } from './openai-errors.ts';

/**
 * OpenAI's errors as its Responses API has them: the same envelope; in a stream an event named `error`, which has its words in `error` as it comes over the
 * wire, and at its top as it is documented.
 */
export const responsesErrors: ErrorDialect = {
  ...openaiErrors,
  event: (words, requestId) => {
    const { error } = openaiEnvelope(words, requestId);
    const { code, message, param } = error;
    return Buffer.from(`event: error\ndata: ${JSON.stringify({ type: 'error', code, message, param, error })}\n\n`, 'utf8');
  },
};
