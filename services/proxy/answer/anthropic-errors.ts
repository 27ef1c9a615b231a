import type { ErrorDialect, ErrorWords } from './error-dialect.ts';
import { codeOf } from './error-dialect.ts';

/** Anthropic's types of errors by their status (client-contract section 2); its SDKs choose their class by the status. */
const TYPE_OF_STATUS: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
]);

/** Anthropic's envelope, with our code and what else is told beside `type` and `message`. */
export const anthropicErrors: ErrorDialect = {
  whole: (words, requestId) => Buffer.from(envelope(words, requestId), 'utf8'),
  event: (words, requestId) => Buffer.from(`event: error\ndata: ${envelope(words, requestId)}\n\n`, 'utf8'),
  requestIdHeader: 'request-id',
};

function envelope(words: ErrorWords, requestId: string): string {
  const { status, message, param, meta } = words;
  const type = TYPE_OF_STATUS.get(status) ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  return JSON.stringify({ type: 'error', error: { ...meta, type, message, code: codeOf(words), param }, request_id: requestId });
}
