import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { Failure } from '../failures.ts';

const TYPE_OF_STATUS: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [504, 'timeout_error'],
]);
const Envelope = Type.Object({ error: Type.Object({ message: Type.String(), code: Type.Union([Type.String(), Type.Null()]) }) });

/** The same refusal as Anthropic writes it (reference "providers" §5). What a load balancer sends is the same for all. */
export function asMessageFailure(failure: Failure): Failure {
  if (failure.headers['content-type'] !== 'application/json') return failure;
  const { error } = Value.Parse(Envelope, JSON.parse(failure.body));
  const type = TYPE_OF_STATUS.get(failure.status) ?? (failure.status >= 500 ? 'api_error' : 'invalid_request_error');
  // Anthropic has no code for it: only its words tell.
  const message = error.code === 'context_length_exceeded' ? 'prompt is too long: 8193 tokens > 8192 maximum' : error.message;
  return { ...failure, body: JSON.stringify({ type: 'error', error: { type, message }, request_id: 'req_simulator' }) };
}
