import type { IncomingHttpHeaders } from 'node:http';
import type { Exchange } from '../exchange.ts';

/**
 * The headers of the application that go upstream; no other does, above all no credential (client-contract section 1).
 * `openai-beta` switches on features of the body; the trace headers are W3C's, made to cross company borders.
 */
const FORWARDED = ['openai-beta', 'traceparent', 'tracestate'] as const;

const USER_AGENT = 'turnpike/0.1';

/**
 * Headers every call to one provider has, flat. Answers are asked for uncompressed: a stream must not wait in a compressor,
 * a whole answer is read here anyway and is compressed again for the client where that is worth it.
 */
export function fixedRequestHeaders(credentialHeaders: readonly string[]): readonly string[] {
  return ['content-type', 'application/json', 'accept-encoding', 'identity', 'user-agent', USER_AGENT, ...credentialHeaders];
}

/** Headers of one call. @param own what the call itself needs, also in place of one of them. Our own request id goes along, so that the provider's logs and books can be held against the ledger. */
export function requestHeaders(fixed: readonly string[], own: readonly string[], exchange: Exchange): string[] {
  const accepted = exchange.stream ? 'text/event-stream' : 'application/json';
  const common = [...fixed, 'accept', accepted, 'x-request-id', exchange.requestId];
  const headers = own.length === 0 ? common : replaced(common, own);
  for (const name of FORWARDED) {
    const value = headerOf(exchange.headers, name);
    if (value !== null) headers.push(name, value);
  }
  return headers;
}

function replaced(headers: readonly string[], own: readonly string[]): string[] {
  const names = new Set(own.filter((_text, index) => index % 2 === 0));
  return [...headers.filter((_text, index) => !names.has(headers[index - (index % 2)] ?? '')), ...own];
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' ? value : null;
}
