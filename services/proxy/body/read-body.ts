import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { gunzip, inflate } from 'node:zlib';
import { GatewayError } from '../../../schema/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ReceivedBody } from './received-body.ts';

export interface BodyLimits {
  /** Bytes of a body, compressed or not. */
  readonly maxBytes: number;
  /** Time for the whole body to arrive. */
  readonly timeoutMs: number;
}

/** Contract: 32 MiB, checked before parsing (client-contract section 9). */
export const DEFAULT_BODY_LIMITS: BodyLimits = { maxBytes: 32 * 1024 * 1024, timeoutMs: 60_000 };

type Done = (error: GatewayError | null, body?: ReceivedBody) => void;

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;
/** What is read and thrown away of a body that is too large, so that the client hears the answer instead of a reset. */
const DISCARD_FACTOR = 4;

/**
 * Reads, decompresses and parses one JSON body. Never throws; calls `done` once, also when the client leaves half way.
 * Codes: `unsupported_content_type`, `request_too_large`, `request_timeout`, `invalid_json`, `client_closed_request`.
 */
export function readBody(request: IncomingMessage, limits: BodyLimits, clock: Clock, done: Done): void {
  if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) {
    done(new GatewayError('unsupported_content_type'));
    return;
  }
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding !== 'identity' && encoding !== 'gzip' && encoding !== 'x-gzip' && encoding !== 'deflate') {
    done(
      new GatewayError('unsupported_content_type', {
        message: 'The body must be sent as it is, or with `content-encoding: gzip`.',
        param: null,
      }),
    );
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  let open = true;

  const finish = (error: GatewayError | null): void => {
    open = false;
    clearTimeout(timer);
    if (error !== null) {
      // What still comes is thrown away.
      request.resume();
      done(error);
      return;
    }
    const [only] = chunks;
    const body = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, bytes);
    const arrivedAt = clock.monotonic();
    if (encoding === 'identity') parseBody(body, arrivedAt, done);
    else decompress(body, encoding, limits.maxBytes, arrivedAt, done);
  };
  // The listeners stay when it is over, which is cheaper than taking them off.
  const onData = (chunk: Buffer): void => {
    if (!open) return;
    bytes += chunk.length;
    if (bytes <= limits.maxBytes) chunks.push(chunk);
    else if (bytes > limits.maxBytes * DISCARD_FACTOR) finish(new GatewayError('request_too_large'));
    else chunks.length = 0;
  };
  const onEnd = (): void => {
    if (open) finish(bytes > limits.maxBytes ? new GatewayError('request_too_large') : null);
  };
  const onGone = (): void => {
    if (open) finish(new GatewayError('client_closed_request'));
  };
  const timer = setTimeout(
    () => finish(new GatewayError(bytes > limits.maxBytes ? 'request_too_large' : 'request_timeout')),
    limits.timeoutMs,
  );
  if (request.destroyed) {
    onGone();
    return;
  }
  request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
}

function decompress(body: Buffer, encoding: string, maxBytes: number, arrivedAt: number, done: Done): void {
  const inflateBody = encoding === 'deflate' ? inflate : gunzip;
  inflateBody(body, { maxOutputLength: maxBytes }, (error, plain) => {
    if (error === null) return parseBody(plain, arrivedAt, done);
    const tooLarge = 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    done(
      tooLarge
        ? new GatewayError('request_too_large')
        : new GatewayError('invalid_json', { message: `The request body is not valid ${encoding}.` }),
    );
  });
}

function parseBody(bytes: Buffer, arrivedAt: number, done: Done): void {
  if (bytes.length === 0) {
    done(new GatewayError('invalid_json', { message: 'The request body is empty.' }));
    return;
  }
  if (!isUtf8(bytes)) {
    done(new GatewayError('invalid_json', { message: 'The request body is not valid UTF-8.' }));
    return;
  }
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    // The parser's own message quotes the body.
    done(new GatewayError('invalid_json'));
    return;
  }
  done(null, { bytes, value, arrivedAt });
}
