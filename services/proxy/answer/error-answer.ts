import type { GatewayError } from '../../../schema/errors.ts';
import { ERRORS } from '../../../schema/errors.ts';
import type { Addressee } from './addressee.ts';
import { ERROR_CONTENT_TYPE, identityHeaders } from './answer-headers.ts';
import { wordsOf } from './error-dialect.ts';

/** Seconds sent in `Retry-After` where the contract wants one and nobody knows better. */
const DEFAULT_RETRY_AFTER_SECONDS = 1;

/** An error as it goes out. */
export interface ErrorAnswer {
  readonly status: number;
  readonly body: Buffer;
  /** Text of `Retry-After`, or null. */
  readonly retryAfter: string | null;
  readonly retryable: boolean;
}

/** The answer for an error of our own catalogue. `Retry-After` is always there on 429 and 503 (client-contract section 1). */
export function errorAnswer({ errors, requestId }: Pick<Addressee, 'errors' | 'requestId'>, error: GatewayError): ErrorAnswer {
  const { status } = error;
  const wanted = error.retryAfterSeconds ?? (status === 429 || status === 503 ? DEFAULT_RETRY_AFTER_SECONDS : null);
  return {
    status,
    body: errors.whole(wordsOf(error), requestId),
    retryAfter: wanted === null ? null : String(wanted),
    retryable: ERRORS[error.code].retryable,
  };
}

/**
 * Sends an error. Nothing happens when the client is gone already.
 * @param headers further headers, flat.
 */
export function sendErrorAnswer(to: Addressee, answer: ErrorAnswer, headers: readonly string[] = []): void {
  const { response } = to;
  if (response.destroyed || response.headersSent) {
    response.destroy();
    return;
  }
  const all = ['content-type', ERROR_CONTENT_TYPE, 'content-length', String(answer.body.length), ...identityHeaders(to), ...headers];
  if (answer.retryAfter !== null) all.push('retry-after', answer.retryAfter);
  // The SDKs never retry these statuses; for the others they follow this header.
  if (!answer.retryable) all.push('x-should-retry', 'false');
  response.writeHead(answer.status, all);
  response.end(answer.body);
}
