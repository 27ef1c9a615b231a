import { gunzip, inflate } from 'node:zlib';
import { GatewayError } from '../../../schema/errors.ts';
import type { BodyCoding } from './body-coding.ts';

/**
 * Unpacks a body off the event loop.
 * @param maxBytes of what comes out.
 * @param done gets `request_too_large` or `invalid_json` where it cannot be unpacked.
 */
export function decompressBody(
  body: Buffer,
  coding: Exclude<BodyCoding, 'identity'>,
  maxBytes: number,
  done: (error: GatewayError | null, plain: Buffer) => void,
): void {
  const unpack = coding === 'deflate' ? inflate : gunzip;
  unpack(body, { maxOutputLength: maxBytes }, (error, plain) => {
    if (error === null) done(null, plain);
    else if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') done(new GatewayError('request_too_large'), body);
    else done(new GatewayError('invalid_json', { message: `The request body is not valid ${coding}.` }), body);
  });
}
