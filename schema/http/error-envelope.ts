import { ERRORS, type ErrorCode } from '../errors.ts';

/** The OpenAI error envelope. The four fields are always there; extra ones are only ever added, since SDKs pass over unknown fields. */
export interface ErrorEnvelope {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
    readonly [extra: string]: unknown;
  };
}

/** The envelope of an error of our own catalogue. */
export function errorEnvelope(
  code: ErrorCode,
  message: string,
  param: string | null,
  meta: Readonly<Record<string, unknown>>,
  requestId: string,
): ErrorEnvelope {
  return { error: { ...meta, message, type: ERRORS[code].type, param, code, request_id: requestId } };
}
