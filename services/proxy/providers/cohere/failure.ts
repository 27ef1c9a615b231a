import type { MeaningOf } from '../openai/failure.ts';

/** A status of Cohere's own: the key is not valid. */
const INVALID_KEY = 498;

/** Cohere refuses with `{id?, message}`; what is too long is told by `error_type`, or by its words. */
export const meaningOf: MeaningOf = (status, { fields, message }) => {
  if (status === INVALID_KEY) return 'credential';
  return fields.error_type === 'TOO_MANY_TOKENS' || /^too many tokens\b/i.test(message) ? 'context_length' : null;
};
