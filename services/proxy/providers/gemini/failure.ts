import type { IncomingHttpHeaders } from 'node:http';
import { ERRORS } from '../../../../schema/errors.ts';
import type { Fields } from '../../body/json-fields.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import type { MeaningOf, SaidError } from '../openai/failure.ts';
import { refusalOf } from '../openai/failure.ts';
import type { ProviderRefusal } from '../provider.ts';

/** Error text passed on at most, in characters. */
const MAX_MESSAGE = 4_096;
/** No code says it: the rule is in the text. */
const TOO_LONG = /input token count\b.*\bexceeds the maximum|exceeds the maximum number of tokens/i;
const WRONG_KEY = /API key (?:not valid|expired|not found)/i;

/** What Google's errors mean that is more than their status: a wrong key is 400, and so is a request that is too long. */
const googleMeaning: MeaningOf = (status, { message, fields }) => {
  if (status !== 400) return null;
  const reasons = detailsOf(fields).map(({ reason }) => reason);
  if (reasons.includes('API_KEY_INVALID') || WRONG_KEY.test(message)) return 'credential';
  return TOO_LONG.test(message) ? 'context_length' : null;
};

/** The refusal in an answer of Google (providers.md section 5): `{error: {code, message, status, details}}`, alone or in a list. */
export function readGoogleRefusal(status: number, headers: IncomingHttpHeaders, body: Buffer): ProviderRefusal {
  const error = errorIn(parsed(body));
  const retryAfter = headers['retry-after'] ?? retryDelay(error);
  return refusalOf(status, saidBy(error), retryAfter, null, googleMeaning);
}

/** The same for an error that came in a stream, or under status 200. */
export function readGoogleError(error: Fields): ProviderRefusal {
  const status = typeof error.code === 'number' && error.code >= 400 ? error.code : ERRORS.upstream_error.status;
  return refusalOf(status, saidBy(error), retryDelay(error), null, googleMeaning);
}

/** An answer that says of itself that it is none. */
export function failedAnswer(reason: string): ProviderRefusal {
  const error = { status: reason, message: `The model could not answer (${reason}). Another attempt may succeed.` };
  return refusalOf(ERRORS.upstream_error.status, saidBy(error), undefined, null, googleMeaning);
}

/** The error object of a body, or none. */
function errorIn(value: unknown): Fields {
  const holder: unknown = Array.isArray(value) ? value[0] : value;
  return isFields(holder) && isFields(holder.error) ? holder.error : {};
}

function saidBy(error: Fields): SaidError {
  return {
    message: (textOf(error.message) ?? ERRORS.upstream_error.message).slice(0, MAX_MESSAGE),
    type: null,
    code: textOf(error.status),
    param: null,
    fields: error,
    conforming: false,
  };
}

/** `RetryInfo` says how long to wait as `34.4s`; the header takes whole seconds. */
function retryDelay(error: Fields): string | undefined {
  for (const { retryDelay: delay } of detailsOf(error)) {
    const seconds = typeof delay === 'string' ? /^(\d+(?:\.\d+)?)s$/.exec(delay)?.[1] : undefined;
    if (seconds !== undefined) return String(Math.ceil(Number(seconds)));
  }
  return undefined;
}

function detailsOf({ details }: Fields): Fields[] {
  return Array.isArray(details) ? details.filter(isFields) : [];
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}
