import type { ErrorEnvelope } from '../../../schema/http/error-envelope.ts';
import { errorEnvelope } from '../../../schema/http/error-envelope.ts';
import type { ErrorDialect, ErrorWords } from './error-dialect.ts';
import { codeOfStatus } from './error-dialect.ts';

/** OpenAI's envelope (client-contract section 2); in a stream the SDKs raise it by its `error` member. */
export const openaiErrors: ErrorDialect = {
  whole: (words, requestId) => Buffer.from(JSON.stringify(openaiEnvelope(words, requestId)), 'utf8'),
  event: (words, requestId) => Buffer.from(`data: ${JSON.stringify(openaiEnvelope(words, requestId))}\n\n`, 'utf8'),
  requestIdHeader: null,
};

/** An error in OpenAI's words. */
export function openaiEnvelope({ status, type, code, message, param, meta }: ErrorWords, requestId: string): ErrorEnvelope {
  const said = { type: type ?? typeOfStatus(status), code: code ?? codeOfStatus(status), message, param, meta };
  return errorEnvelope(said, requestId);
}

function typeOfStatus(status: number): string {
  if (status < 400 || status >= 500) return 'api_error';
  return status === 429 ? 'rate_limit_error' : 'invalid_request_error';
}
