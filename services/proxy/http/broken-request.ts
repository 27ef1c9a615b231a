import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../../../schema/errors.ts';
import { ERRORS } from '../../../schema/errors.ts';

/** Bytes of all headers of a request together. */
export const MAX_HEADER_BYTES = 32 * 1024;

/** Answers what never became a request (header bombs, broken HTTP, headers that do not come) and ends the connection. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  // Once an answer has begun on this connection, another status line would stand in the middle of it.
  if (!(socket instanceof Socket) || !socket.writable || socket.bytesWritten > 0 || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, code, message] = answerTo(error.code);
  const text = JSON.stringify({ error: { message, type: ERRORS[code].type, param: null, code } });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

function answerTo(code: string | undefined): readonly [status: string, code: ErrorCode, message: string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return ['431 Request Header Fields Too Large', 'invalid_request', `The request's headers are larger than ${MAX_HEADER_BYTES} bytes.`];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['408 Request Timeout', 'request_timeout', ERRORS.request_timeout.message];
    default:
      return ['400 Bad Request', 'invalid_request', 'The request is not valid HTTP.'];
  }
}
