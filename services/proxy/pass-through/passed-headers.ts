import type { IncomingHttpHeaders } from 'node:http';
import type { Exchange } from '../exchange.ts';
import type { OwnAddresses, Provider } from '../providers/provider.ts';

/** What of the application's headers says what it asks for; no credential, and nothing about it or about us. */
const PASSED = [
  'content-type',
  'content-encoding',
  'accept',
  'range',
  'idempotency-key',
  'openai-beta',
  'anthropic-version',
  'anthropic-beta',
  'traceparent',
  'tracestate',
] as const;

/** Headers of a call that is passed through. @param fixed what every call to the provider has, of which the body's own type takes the place. */
export function passedHeaders(
  fixed: readonly string[],
  { headers, requestId }: Pick<Exchange, 'headers' | 'requestId'>,
  { addresses }: Pick<Provider, 'addresses'>,
): string[] {
  const passed: string[] = [];
  for (let index = 0; index < fixed.length; index += 2) {
    const name = fixed[index] ?? '';
    if (name !== 'content-type') passed.push(name, fixed[index + 1] ?? '');
  }
  for (const name of PASSED) {
    const value = headers[name];
    if (typeof value === 'string') passed.push(name, value);
  }
  if (addresses !== undefined) passed.push(...ownHeaders(headers, addresses));
  passed.push('x-request-id', requestId);
  return passed;
}

/** Those that a provider has for its own, flat. */
export function ownHeaders(headers: IncomingHttpHeaders, addresses: OwnAddresses): string[] {
  const own: string[] = [];
  for (const [name, value] of Object.entries(headers)) if (typeof value === 'string' && addresses.isOwnHeader(name)) own.push(name, value);
  return own;
}
