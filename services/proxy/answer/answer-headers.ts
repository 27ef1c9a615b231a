import { formatUsd } from '../../../schema/values/money.ts';
import type { SettledCost } from '../settlement/settle.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import type { Addressee } from './addressee.ts';

export const ERROR_CONTENT_TYPE = 'application/json; charset=utf-8';
export const STREAM_CONTENT_TYPE = 'text/event-stream; charset=utf-8';

/** Headers of every stream, flat. */
export const STREAM_HEADERS = ['content-type', STREAM_CONTENT_TYPE, 'cache-control', 'no-cache', 'x-accel-buffering', 'no'] as const;

const made = new WeakMap<CompiledModel, readonly string[]>();

/**
 * Headers of every answer in which a provider took part (client-contract section 5), flat, made once per model of a snapshot.
 * The LiteLLM names are aliases with the same values. No target is tried twice and none after another yet; those headers
 * stand, because clients read them. Of the provider's own headers only `content-type` and, on errors, `retry-after` go out.
 */
export function providerHeaders(target: CompiledModel): readonly string[] {
  const known = made.get(target);
  if (known !== undefined) return known;
  const model = headerText(target.name);
  const headers = [
    ['x-turnpike-provider', target.provider.name],
    ['x-turnpike-model', model],
    ['x-turnpike-model-id', model],
    ['x-litellm-model-id', model],
    ['x-turnpike-attempted-retries', '0'],
    ['x-litellm-attempted-retries', '0'],
    ['x-turnpike-attempted-fallbacks', '0'],
    ['x-litellm-attempted-fallbacks', '0'],
  ].flat();
  made.set(target, headers);
  return headers;
}

/** What every answer has: the request's id, and that no cache took part. */
export function identityHeaders({ requestId, errors }: Pick<Addressee, 'requestId' | 'errors'>): string[] {
  const headers = [
    'x-request-id',
    requestId,
    'x-turnpike-call-id',
    requestId,
    'x-litellm-call-id',
    requestId,
    'x-turnpike-cache',
    'bypass',
  ];
  if (errors.requestIdHeader !== null) headers.push(errors.requestIdHeader, requestId);
  return headers;
}

/** Cost, as the ledger will have it to the last digit; nothing at all where it is not known. Never on streams. */
export function costHeaders(cost: SettledCost): string[] {
  if (cost.kind !== 'rated') return [];
  const usd = formatUsd(cost.costPico);
  return ['x-turnpike-cost-usd', usd, 'x-litellm-response-cost', usd];
}

/** What the application should know of an answer that it did not ask for so; nothing for most. */
export function warningHeaders({ warning }: { readonly warning: string | null }): string[] {
  return warning === null ? [] : ['x-turnpike-warning', warning];
}

/** Time spent in the gateway and in the provider. */
export function timingHeaders(overheadMs: number, upstreamMs: number): string[] {
  const overhead = overheadMs.toFixed(3);
  return ['x-turnpike-overhead-ms', overhead, 'server-timing', `gateway;dur=${overhead}, upstream;dur=${upstreamMs.toFixed(3)}`];
}

/** A model's name may hold what a header may not. */
function headerText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : encodeURI(text);
}
