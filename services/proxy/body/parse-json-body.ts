import { isUtf8 } from 'node:buffer';
import { GatewayError } from '../../../schema/errors.ts';

/** What a JSON body says. @throws {GatewayError} `invalid_json`, never with a word of the body in it. */
export function parseJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) throw new GatewayError('invalid_json', { message: 'The request body is empty.' });
  if (!isUtf8(bytes)) throw new GatewayError('invalid_json', { message: 'The request body is not valid UTF-8.' });
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // The parser's own message quotes the body.
    throw new GatewayError('invalid_json');
  }
}

/** The same of a body that may be anything: undefined where it is no JSON. */
export function parseIfJson(bytes: Buffer): unknown {
  try {
    return parseJsonBody(bytes);
  } catch {
    return undefined;
  }
}
