import type { IncomingHttpHeaders } from 'node:http';
import { ERRORS } from '../../../../schema/errors.ts';
import { errorEnvelope } from '../../../../schema/http/error-envelope.ts';
import type { ProviderRefusal, StreamError } from '../provider.ts';
import { isFields, textOf } from './usage.ts';

/** Statuses by which a provider refuses whoever calls it; that is the gateway, whose credential it is, never the application. */
const CREDENTIAL_STATUSES: ReadonlySet<number> = new Set([401, 402, 403]);
/** Error text passed on at most, in characters. */
const MAX_MESSAGE = 4_096;

/** What an error body says, whatever its shape (providers.md section 5). */
interface SaidError extends StreamError {
  readonly param: string | null;
  /** The body is an OpenAI envelope already, whose bytes can be passed as they are. */
  readonly conforming: boolean;
}

/**
 * The answer for a provider's refusal: the same status for 4xx, 502 for everything else, the provider's type and code kept.
 * A refusal of the gateway's own credential (401, 402, 403, or a spent quota behind 429) is `upstream_credentials_rejected`.
 */
export function readRefusal(status: number, headers: IncomingHttpHeaders, body: Buffer, requestId: string): ProviderRefusal {
  const said = readError(body);
  const retryAfter = textOf(headers['retry-after']);
  if (CREDENTIAL_STATUSES.has(status) || (status === 429 && said?.code === 'insufficient_quota')) {
    const { message } = ERRORS.upstream_credentials_rejected;
    const meta = { provider_status: status, provider_code: said?.code ?? null };
    return {
      status: ERRORS.upstream_credentials_rejected.status,
      body: render(errorEnvelope('upstream_credentials_rejected', message, null, meta, requestId)),
      code: 'upstream_credentials_rejected',
      retryAfter: null,
      retryable: false,
      credentialRejected: true,
    };
  }
  const final = status >= 400 && status < 500;
  return {
    status: final ? status : ERRORS.upstream_error.status,
    body: said?.conforming === true ? body : render(wrapped(status, said, requestId)),
    code: said?.code ?? said?.type ?? (status === 429 ? 'rate_limit_exceeded' : 'upstream_error'),
    retryAfter,
    retryable: !final || status === 408 || status === 409 || status === 429,
    credentialRejected: false,
  };
}

/** What an error object inside a stream says. */
export function readStreamError(error: unknown): StreamError {
  const said = isFields(error) ? saidBy(error, error) : null;
  return said ?? { message: textOf(error) ?? ERRORS.upstream_error.message, type: null, code: null };
}

function readError(body: Buffer): SaidError | null {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
  if (!isFields(value)) return null;
  if (isFields(value.error)) {
    const { message, type, param, code } = value.error;
    const conforming =
      typeof message === 'string' &&
      (typeof type === 'string' || type === null) &&
      (typeof code === 'string' || code === null || code === undefined) &&
      (typeof param === 'string' || param === null || param === undefined);
    return { ...saidBy(value.error, value.error), conforming };
  }
  // xAI `{code, error: text}`, Mistral `{detail}`, Cohere and Bedrock `{message}`, Ollama `{error: text}`.
  return { ...saidBy(value, { ...value, message: value.error ?? value.message ?? value.detail }), conforming: false };
}

function saidBy(named: Readonly<Record<string, unknown>>, worded: Readonly<Record<string, unknown>>): SaidError {
  const code = typeof named.code === 'number' ? String(named.code) : textOf(named.code);
  return {
    message: (textOf(worded.message) ?? ERRORS.upstream_error.message).slice(0, MAX_MESSAGE),
    type: textOf(named.type),
    code,
    param: textOf(named.param),
    conforming: false,
  };
}

function wrapped(status: number, said: SaidError | null, requestId: string): unknown {
  const type = said?.type ?? (status >= 400 && status < 500 ? typeOfStatus(status) : 'api_error');
  return {
    error: {
      message: said?.message ?? ERRORS.upstream_error.message,
      type,
      param: said?.param ?? null,
      code: said?.code ?? (status === 429 ? 'rate_limit_exceeded' : 'upstream_error'),
      provider_status: status,
      request_id: requestId,
    },
  };
}

function typeOfStatus(status: number): string {
  return status === 429 ? 'rate_limit_error' : 'invalid_request_error';
}

function render(envelope: unknown): Buffer {
  return Buffer.from(JSON.stringify(envelope), 'utf8');
}
