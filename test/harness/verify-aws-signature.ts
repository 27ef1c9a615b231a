import { createHash, createHmac } from 'node:crypto';
import type { UpstreamRequest } from './scripted-upstream.ts';

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text, 'utf8').digest();
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * Whether a request is signed with that key, as AWS describes its Signature Version 4: worked out from what came over the wire, with nothing of what
 * signs. Its path is encoded once more, as every service but S3 wants it.
 */
export function isSignedWith(secretAccessKey: string, { method, path, headers, body }: UpstreamRequest): boolean {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    );
  if (match === null) return false;
  const [, , day = '', region = '', service = '', signedHeaders = '', signature] = match;
  const [route = '', query = ''] = path.split('?');
  const canonicalQuery = query
    .split('&')
    .filter((pair) => pair !== '')
    .sort()
    .join('&');
  const names = signedHeaders.split(';');
  const canonical = [
    method,
    route.split('/').map(encoded).join('/'),
    canonicalQuery,
    ...names.map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    signedHeaders,
    sha256(body),
  ].join('\n');
  const date = String(headers['x-amz-date']);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = [region, service, 'aws4_request'].reduce<Buffer>((last, part) => hmac(last, part), hmac(`AWS4${secretAccessKey}`, day));
  return names.includes('host') && date.startsWith(day) && hmac(key, text).toString('hex') === signature;
}
