import type { ServerResponse } from 'node:http';
import { identityHeaders } from './answer-headers.ts';

/** Sends an answer of the gateway's own. */
export function sendJson(response: ServerResponse, requestId: string, value: unknown): void {
  if (response.destroyed) return;
  const body = Buffer.from(JSON.stringify(value), 'utf8');
  response.writeHead(200, [
    'content-type',
    'application/json; charset=utf-8',
    'content-length',
    String(body.length),
    ...identityHeaders(requestId),
  ]);
  response.end(body);
}
