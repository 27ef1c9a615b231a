import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError } from '../../../schema/errors.ts';

/** How a body is compressed. */
export type BodyCoding = 'identity' | 'gzip' | 'deflate';

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/**
 * How the JSON body that these headers announce is compressed. Headers that announce no body at all pass: an empty one is
 * refused as what it is.
 * @throws {GatewayError} `unsupported_content_type` when it is no JSON, or compressed in another way.
 */
export function bodyCoding(headers: IncomingHttpHeaders): BodyCoding {
  const type = headers['content-type'];
  // What every SDK sends; the rest is for the others.
  if (type !== 'application/json' && !(type === undefined ? isEmpty(headers) : JSON_TYPE.test(type))) {
    throw new GatewayError('unsupported_content_type');
  }
  const encoding = headers['content-encoding'];
  if (encoding === undefined) return 'identity';
  switch (encoding.trim().toLowerCase()) {
    case 'identity':
      return 'identity';
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'deflate':
      return 'deflate';
    default:
      throw new GatewayError('unsupported_content_type', {
        message: 'The body must be sent as it is, or with `content-encoding: gzip`.',
        param: null,
      });
  }
}

/** Whether these headers announce JSON as it is. */
export function isPlainJson(headers: IncomingHttpHeaders): boolean {
  return JSON_TYPE.test(headers['content-type'] ?? '') && (headers['content-encoding'] ?? 'identity') === 'identity';
}

function isEmpty(headers: IncomingHttpHeaders): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] === undefined && (length === undefined || length === '0');
}
