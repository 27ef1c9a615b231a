import type { Addressee } from './addressee.ts';
import { identityHeaders } from './answer-headers.ts';

/** Sends an answer of the gateway's own. */
export function sendJson(to: Addressee, value: unknown): void {
  const { response } = to;
  if (response.destroyed) return;
  const body = Buffer.from(JSON.stringify(value), 'utf8');
  response.writeHead(200, [
    'content-type',
    'application/json; charset=utf-8',
    'content-length',
    String(body.length),
    ...identityHeaders(to),
  ]);
  response.end(body);
}
