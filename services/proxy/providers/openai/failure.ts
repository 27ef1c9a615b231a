import type { IncomingHttpHeaders } from 'node:http';
import { ERRORS } from '../../../../schema/errors.ts';
import type { Fields } from '../../body/json-fields.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import type { ProviderRefusal } from '../provider.ts';

/** Statuses by which a provider refuses whoever calls it; that is the gateway, whose credential it is, never the application. */
const CREDENTIAL_STATUSES: ReadonlySet<number> = new Set([401, 402, 403]);
/** Statuses under which a request is said to be too long. */
const TOO_LONG_STATUSES: ReadonlySet<number> = new Set([400, 413, 422]);
/**
 * How a request beyond the context of the model is refused where no code says it: DeepSeek, Fireworks, Mistral, OpenRouter, vLLM
 * (`maximum context length`), Ollama (`max context length`), xAI (`maximum prompt length`), llama.cpp (`available context size`),
 * LM Studio (`greater than the context length`), Text Generation Inference and Together (`inputs` tokens + `max_new_tokens`).
 */
const TOO_LONG =
  /max(?:imum)? (?:context|prompt) length|context window of this model|available context size|greater than the context length|`inputs` tokens \+ `max_new_tokens`/i;
/** Error text passed on at most, in characters. */
const MAX_MESSAGE = 4_096;

/** What an error body says, whatever its shape (providers.md section 5). */
export interface SaidError {
  readonly message: string;
  readonly type: string | null;
  readonly code: string | null;
  readonly param: string | null;
  /** The object that says it. */
  readonly fields: Fields;
  /** The body is an OpenAI envelope already, whose bytes can be passed as they are. */
  readonly conforming: boolean;
}

/**
 * What a refusal means where that is more than its status: the gateway's own `credential` is refused or has no credit left, the
 * request is beyond the `context_length` of the model, or its content is refused by a `content_filter`.
 */
export type Meaning = 'credential' | 'context_length' | 'content_filter';
export type MeaningOf = (status: number, said: SaidError) => Meaning | null;

/**
 * The answer for a provider's refusal (client-contract section 2): the same status for 4xx, 502 for everything else, the
 * provider's type and code kept; but what has a code of its own in the contract gets that code and its status.
 */
export function readRefusal(status: number, headers: IncomingHttpHeaders, body: Buffer, meaningOf: MeaningOf): ProviderRefusal {
  return refusalOf(status, readError(body), headers['retry-after'], body, meaningOf);
}

/** The same for an error that came under status 200. @param body all that came with it; null: it came in a stream. */
export function readErrorMember(error: unknown, body: Buffer | null, meaningOf: MeaningOf): ProviderRefusal {
  const said = isFields(error) ? saidBy(error, error.message) : saidBy({}, error);
  return refusalOf(statusOf(said), body === null ? said : readError(body), undefined, body, meaningOf);
}

/** What an error would have come with, had it not come with status 200: its code is its status (OpenRouter), or tells it. */
function statusOf({ code }: SaidError): number {
  if (code === null) return ERRORS.upstream_error.status;
  return /^[45]\d\d$/.test(code) ? Number(code) : (STATUS_OF_CODE.get(code) ?? ERRORS.upstream_error.status);
}

const STATUS_OF_CODE: ReadonlyMap<string, number> = new Map([
  ['context_length_exceeded', 400],
  ['invalid_prompt', 400],
  ['insufficient_quota', 429],
  ['rate_limit_exceeded', 429],
]);

/** What an error means for the application. @param body as it came, passed on where it says the same in OpenAI's envelope; null: it has to be rendered. */
export function refusalOf(
  status: number,
  said: SaidError,
  retryAfter: string | undefined,
  body: Buffer | null,
  meaningOf: MeaningOf,
): ProviderRefusal {
  const meaning = meaningOf(status, said) ?? commonMeaning(status, said);
  if (meaning === 'credential') return credentialRefused(status, said);
  if (meaning !== null) return requestRefused(meaning, status, said, body);
  const final = status >= 400 && status < 500;
  return {
    status: final ? status : ERRORS.upstream_error.status,
    type: said.type,
    code: said.code,
    message: said.message,
    param: said.param,
    meta: { provider_status: status },
    body: said.conforming ? body : null,
    retryAfter: textOf(retryAfter),
    retryable: !final || status === 408 || status === 409 || status === 429,
    credentialRejected: false,
  };
}

function commonMeaning(status: number, { code, message }: SaidError): Meaning | null {
  if (CREDENTIAL_STATUSES.has(status) || (status === 429 && code === 'insufficient_quota')) return 'credential';
  if (!TOO_LONG_STATUSES.has(status)) return null;
  return code === 'context_length_exceeded' || TOO_LONG.test(message) ? 'context_length' : null;
}

/** Nothing of the provider's words is passed on: they are about the operator's account. */
function credentialRefused(status: number, said: SaidError): ProviderRefusal {
  const code = 'upstream_credentials_rejected';
  return {
    ...ERRORS[code],
    code,
    param: null,
    meta: { provider_status: status, provider_code: said.code },
    body: null,
    retryAfter: null,
    credentialRejected: true,
  };
}

function requestRefused(meaning: Exclude<Meaning, 'credential'>, status: number, said: SaidError, body: Buffer | null): ProviderRefusal {
  const code = meaning === 'context_length' ? 'context_length_exceeded' : 'content_filter';
  const asItCame = said.conforming && said.code === code && status === 400;
  return {
    status: 400,
    type: 'invalid_request_error',
    code,
    message: said.message,
    param: said.param,
    meta: { provider_status: status, provider_code: said.code },
    body: asItCame ? body : null,
    retryAfter: null,
    retryable: false,
    credentialRejected: false,
  };
}

function readError(body: Buffer): SaidError {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return saidBy({}, null);
  }
  if (!isFields(value)) return saidBy({}, null);
  if (isFields(value.error)) {
    const { message, type, param, code } = value.error;
    const conforming =
      typeof message === 'string' &&
      (typeof type === 'string' || type === null) &&
      (typeof code === 'string' || code === null || code === undefined) &&
      (typeof param === 'string' || param === null || param === undefined);
    return { ...saidBy(value.error, message), conforming };
  }
  // xAI `{code, error: text}`, Mistral `{detail}` and `{message}`, vLLM before 0.10 `{message}`, Ollama and LM Studio `{error: text}`.
  return saidBy(value, value.error ?? value.message ?? value.detail);
}

function saidBy(fields: Fields, words: unknown): SaidError {
  const code = typeof fields.code === 'number' ? String(fields.code) : textOf(fields.code);
  return {
    message: (wordsOf(words) ?? ERRORS.upstream_error.message).slice(0, MAX_MESSAGE),
    type: textOf(fields.type),
    code,
    param: textOf(fields.param),
    fields,
    conforming: false,
  };
}

/** A text, or the list of faults that FastAPI and Mistral make of a body they do not accept: `[{loc: ["body", "n"], msg}]`. */
function wordsOf(words: unknown): string | null {
  if (isFields(words)) return wordsOf(words.detail);
  if (!Array.isArray(words)) return textOf(words);
  const faults = words.filter(isFields).map(({ loc, msg }) => {
    const place = Array.isArray(loc) ? loc.filter((part) => part !== 'body').join('.') : '';
    return place === '' ? textOf(msg) : `${place}: ${textOf(msg) ?? 'not accepted'}`;
  });
  return textOf(faults.filter((fault) => fault !== null).join('; '));
}
