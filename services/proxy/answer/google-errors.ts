import type { ErrorDialect, ErrorWords } from './error-dialect.ts';
import { codeOf } from './error-dialect.ts';

/** Google's names of statuses (google.rpc.Code); its clients show them, and choose by the number. */
const STATUS_NAMES: ReadonlyMap<number, string> = new Map([
  [400, 'INVALID_ARGUMENT'],
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [409, 'ABORTED'],
  [429, 'RESOURCE_EXHAUSTED'],
  [499, 'CANCELLED'],
  [501, 'UNIMPLEMENTED'],
  [503, 'UNAVAILABLE'],
  [504, 'DEADLINE_EXCEEDED'],
]);

/** Google's envelope; our code and what else is told are the reason and the metadata of an `ErrorInfo`. */
export const googleErrors: ErrorDialect = {
  whole: (words, requestId) => Buffer.from(envelope(words, requestId), 'utf8'),
  event: (words, requestId) => Buffer.from(`data: ${envelope(words, requestId)}\r\n\r\n`, 'utf8'),
  requestIdHeader: null,
};

function envelope(words: ErrorWords, requestId: string): string {
  const { status, message, param, meta } = words;
  const told = Object.entries({ ...meta, ...(param === null ? {} : { param }), request_id: requestId });
  // The values of its metadata are texts.
  const metadata = Object.fromEntries(told.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]));
  return JSON.stringify({
    error: {
      code: status,
      message,
      status: STATUS_NAMES.get(status) ?? (status >= 500 ? 'INTERNAL' : 'FAILED_PRECONDITION'),
      details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: codeOf(words), domain: 'turnpike', metadata }],
    },
  });
}
