import type { ErrorCode } from '../../../schema/errors.ts';
import { ERRORS } from '../../../schema/errors.ts';
import { errorEnvelope } from '../../../schema/http/error-envelope.ts';
import type { StreamError } from '../providers/provider.ts';
import type { UpstreamFailureKind } from '../upstream/upstream-failure.ts';

/** What the application is told when a call gave no whole answer. */
export const ERROR_OF_FAILURE: Readonly<Record<UpstreamFailureKind, ErrorCode>> = {
  unreachable: 'upstream_unavailable',
  connect_timeout: 'timeout',
  first_byte_timeout: 'timeout',
  idle_timeout: 'timeout',
  broken: 'upstream_error',
};

/** An error that came with status 200 may say its true one in its code (OpenRouter). */
export function statusOfError(error: StreamError): number {
  return error.code !== null && /^[45]\d\d$/.test(error.code) ? Number(error.code) : ERRORS.upstream_error.status;
}

/** An error as the last event of a stream; the SDKs raise it by its `error` member. */
export function errorEvent(code: ErrorCode, message: string, requestId: string): Buffer {
  return Buffer.from(`data: ${JSON.stringify(errorEnvelope(code, message, null, {}, requestId))}\n\n`, 'utf8');
}
