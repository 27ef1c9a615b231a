import type { IncomingHttpHeaders } from 'node:http';
import { ERRORS } from '../../../../schema/errors.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import type { ProviderRefusal } from '../provider.ts';

/** Error text passed on at most, in characters. */
const MAX_MESSAGE = 4_096;
/** The status that an error has where it comes without one: in a stream. */
const STATUS_OF_TYPE: ReadonlyMap<string | null, number> = new Map([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['api_error', 500],
  ['timeout_error', 504],
  ['overloaded_error', 529],
]);
const OVERLOADED = 529;
/** These say that Anthropic refuses whoever calls it: the gateway, whose credential it is, never the application. */
const CREDENTIAL_STATUSES: ReadonlySet<number> = new Set([401, 402, 403]);
/** The account behind the credential is out of credit, which is said as if the request were wrong. */
const NO_CREDIT = /credit balance is too low/i;
/** No code says it. The second is about what is asked for together with the prompt. */
const TOO_LONG =
  /prompt is too long|input length and `max_tokens` exceed context limit|exceeds? the (?:model's )?(?:maximum )?context (?:limit|window|length)/i;

/** What an error body of Anthropic's says: `{type: "error", error: {type, message}}`. */
interface SaidError {
  readonly type: string | null;
  readonly message: string;
  /** It is such an error, so that its bytes may pass. */
  readonly conforming: boolean;
}

/**
 * What becomes of a refusal of Anthropic's (client-contract section 2): the same status for 4xx, 502 for everything else; only an application that speaks
 * its dialect knows 529, and gets that. An application of the same dialect gets the bytes as they came, unless they are about the gateway's own account.
 * @param sameDialect whether the application speaks it.
 */
export function readMessagesRefusal(status: number, headers: IncomingHttpHeaders, body: Buffer, sameDialect: boolean): ProviderRefusal {
  return refusalOf(status, readError(body), headers, body, sameDialect);
}

/** The same for an error that came under status 200: in a stream, or as a whole answer. @param error `{type, message}`. */
export function readErrorMember(error: unknown, sameDialect: boolean): ProviderRefusal {
  const said = saidBy(error);
  return refusalOf(STATUS_OF_TYPE.get(said.type) ?? 500, said, {}, null, sameDialect);
}

function refusalOf(
  status: number,
  said: SaidError,
  headers: IncomingHttpHeaders,
  body: Buffer | null,
  sameDialect: boolean,
): ProviderRefusal {
  const meta = { provider_status: status };
  if (CREDENTIAL_STATUSES.has(status) || (status === 400 && NO_CREDIT.test(said.message))) {
    const code = 'upstream_credentials_rejected';
    return { ...ERRORS[code], code, param: null, meta, body: null, retryAfter: null, credentialRejected: true };
  }
  const tooLong = status === 400 && TOO_LONG.test(said.message);
  const final = status >= 400 && status < 500;
  const kept = final || (sameDialect && status === OVERLOADED);
  return {
    status: kept ? status : ERRORS.upstream_error.status,
    type: said.type,
    code: tooLong ? 'context_length_exceeded' : codeOf(status, said),
    message: said.message,
    param: null,
    meta,
    body: sameDialect && said.conforming ? body : null,
    retryAfter: textOf(headers['retry-after']),
    retryable: isRetryable(headers, !final || status === 408 || status === 409 || status === 429),
    credentialRejected: false,
  };
}

/** Where OpenAI has a code of its own for it. */
function codeOf(status: number, { type, message }: SaidError): string | null {
  if (status === 404 && message.startsWith('model:')) return 'model_not_found';
  return status === 429 ? 'rate_limit_exceeded' : type;
}

/** Anthropic says it itself where it knows better. */
function isRetryable(headers: IncomingHttpHeaders, otherwise: boolean): boolean {
  const said = headers['x-should-retry'];
  return said === 'true' || (said === 'false' ? false : otherwise);
}

function readError(body: Buffer): SaidError {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return saidBy(isFields(value) ? value.error : null);
  } catch {
    return saidBy(null);
  }
}

function saidBy(error: unknown): SaidError {
  const fields = isFields(error) ? error : {};
  const type = textOf(fields.type);
  const message = textOf(fields.message);
  return {
    type,
    message: (message ?? ERRORS.upstream_error.message).slice(0, MAX_MESSAGE),
    conforming: type !== null && message !== null,
  };
}
