import type { IncomingHttpHeaders } from 'node:http';
import { ERRORS } from '../../../../schema/errors.ts';
import type { Fields } from '../../body/json-fields.ts';
import { isFields, textOf } from '../../body/json-fields.ts';
import type { MeaningOf } from '../openai/failure.ts';
import { refusalOf } from '../openai/failure.ts';
import type { ProviderRefusal } from '../provider.ts';

/** Error text passed on at most, in characters. */
const MAX_MESSAGE = 4_096;

/** The status that an exception has where it comes without one: in a stream. By the first letters it is told apart: `throttlingException`. */
const STATUS_OF_EXCEPTION: ReadonlyMap<string, number> = new Map([
  ['validationexception', 400],
  ['accessdeniedexception', 403],
  ['resourcenotfoundexception', 404],
  ['modeltimeoutexception', 408],
  ['modelerrorexception', 424],
  ['modelstreamerrorexception', 424],
  ['throttlingexception', 429],
  ['modelnotreadyexception', 429],
  ['internalserverexception', 500],
  ['serviceunavailableexception', 503],
]);

/** Said with 400 too: a request that is signed wrongly, or with a key that is known no more. */
const CREDENTIAL = /signature|token|credential|authentication|accesskey/i;
/** No name tells what is too long. The last is how models of several makers say it. */
const TOO_LONG =
  /input is too long|input tokens? exceeded|number of input tokens exceeds|too many input tokens|prompt is too long|max(?:imum)? (?:context|model) length|exceeds? the (?:model's )?(?:maximum )?context (?:limit|window|length)/i;

const meaningOf: MeaningOf = (status, { code, message }) => {
  if (status === 400 && code !== null && code !== 'ValidationException' && CREDENTIAL.test(code)) return 'credential';
  return status === 400 && TOO_LONG.test(message) ? 'context_length' : null;
};

/** What becomes of a refusal of Bedrock's: `{message}`, whose name is in a header and ends at a colon. */
export function readRefusal(status: number, headers: IncomingHttpHeaders, body: Buffer): ProviderRefusal {
  const said = readError(body);
  const name = textOf(headers['x-amzn-errortype']) ?? textOf(said.__type) ?? textOf(said.code);
  return refusalBy(status, bareName(name), said, textOf(headers['retry-after']) ?? undefined);
}

/** The same for an exception inside of a stream. */
export function readException(name: string, body: Buffer): ProviderRefusal {
  const code = bareName(name);
  return refusalBy(STATUS_OF_EXCEPTION.get(name.toLowerCase()) ?? 500, code, readError(body), undefined);
}

/** Set where the end of an answer says that there is none: what the model wrote was not to be understood. Another attempt may bring one. */
export function failureOf(stopReason: unknown): ProviderRefusal | null {
  if (typeof stopReason !== 'string' || !stopReason.startsWith('malformed_')) return null;
  return refusalBy(ERRORS.upstream_error.status, stopReason, { message: 'The model could not finish its answer.' }, undefined);
}

function refusalBy(status: number, code: string | null, said: Fields, retryAfter: string | undefined): ProviderRefusal {
  const message = (textOf(said.message) ?? textOf(said.Message) ?? ERRORS.upstream_error.message).slice(0, MAX_MESSAGE);
  return refusalOf(status, { message, type: null, code, param: null, fields: said, conforming: false }, retryAfter, null, meaningOf);
}

/** `com.amazon.coral#ThrottlingException`, `ThrottlingException:http://…`, and as it is spelled in a stream: `throttlingException`. */
function bareName(name: string | null): string | null {
  const bare = name?.slice(name.indexOf('#') + 1).split(':')[0] ?? '';
  return bare === '' ? null : bare.charAt(0).toUpperCase() + bare.slice(1);
}

function readError(body: Buffer): Fields {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isFields(value) ? value : {};
  } catch {
    return {};
  }
}
