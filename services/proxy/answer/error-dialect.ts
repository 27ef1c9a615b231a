import type { ErrorCode, GatewayError } from '../../../schema/errors.ts';
import { ERRORS } from '../../../schema/errors.ts';

/** What an error says, in whatever dialect it goes out. */
export interface ErrorWords {
  /** What the application is answered, or would be had no stream begun. */
  readonly status: number;
  /** Of our catalogue or the provider's; null: it follows from the status. */
  readonly type: string | null;
  readonly code: string | null;
  readonly message: string;
  /** The field of the request that is at fault. */
  readonly param: string | null;
  /** What is told besides. */
  readonly meta: Readonly<Record<string, unknown>>;
}

/** How the applications of an endpoint are told of errors. */
export interface ErrorDialect {
  /** The body of an answer that is an error. */
  whole(words: ErrorWords, requestId: string): Buffer;
  /** An error as the last event of a stream. */
  event(words: ErrorWords, requestId: string): Buffer;
  /** The name of a header besides `x-request-id` that has the id of the request in every answer of the endpoint; null: there is none. */
  readonly requestIdHeader: string | null;
}

/** What an error of our own catalogue says. */
export function wordsOf({ code, status, message, param, meta }: GatewayError): ErrorWords {
  return { status, type: ERRORS[code].type, code, message, param, meta };
}

/** The code of an error in the books: ours or the provider's, never its text. */
export function codeOf({ code, type, status }: ErrorWords): string {
  return code ?? type ?? codeOfStatus(status);
}

/** The code of an error that has none. */
export function codeOfStatus(status: number): ErrorCode {
  return status === 429 ? 'rate_limit_exceeded' : 'upstream_error';
}
