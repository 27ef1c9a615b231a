import type { OutgoingHttpHeaders } from 'node:http';

/** An answer that is an error: what is sent, byte for byte. */
export type Failure = {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
};

type ErrorObject = {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
};

/** The error in OpenAI's envelope, as it stands in a body or in an event of a stream. */
export function errorEnvelope(error: ErrorObject): string {
  return JSON.stringify({ error: { message: error.message, type: error.type, param: error.param, code: error.code } });
}

/** What is said where a stream fails in its middle. */
export const failureInAStream: ErrorObject = {
  message: 'The server had an error while processing your request. Sorry about that!',
  type: 'server_error',
  param: null,
  code: null,
};

/** An error answer in OpenAI's envelope. */
export function failure(status: number, error: ErrorObject, headers: OutgoingHttpHeaders = {}): Failure {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: errorEnvelope(error) };
}

/** A request OpenAI would refuse with 400 `invalid_request_error`. */
export function invalidRequest(message: string, param: string | null, code: string | null = null): Failure {
  return failure(400, { message, type: 'invalid_request_error', param, code });
}

/** 404, as OpenAI answers on chat and embeddings. */
export function unknownModel(model: string): Failure {
  return failure(404, {
    message: `The model \`${model}\` does not exist or you do not have access to it.`,
    type: 'invalid_request_error',
    param: null,
    code: 'model_not_found',
  });
}

/** 400, as OpenAI answers on responses (reference "providers" §5). */
export function unknownResponsesModel(model: string): Failure {
  return invalidRequest(`The requested model '${model}' does not exist.`, 'model', 'model_not_found');
}

type Template = { readonly status: number; readonly error: ErrorObject; readonly retryAfter?: true };

const invalid = 'invalid_request_error';
const serverError = 'server_error';

const rateLimited = (unit: string, short: string): ErrorObject => ({
  message: `Rate limit reached in organization org-simulator on ${unit} per min (${short}). Please try again later.`,
  type: unit,
  param: null,
  code: 'rate_limit_exceeded',
});

/** Wording, types and codes follow OpenAI's where they are known (reference "providers" §5). */
const templates = {
  '400': {
    status: 400,
    error: { message: "Invalid value for 'temperature'.", type: invalid, param: 'temperature', code: 'invalid_value' },
  },
  context: {
    status: 400,
    error: {
      message: "This model's maximum context length is 8192 tokens. Please reduce the length of the messages.",
      type: invalid,
      param: 'messages',
      code: 'context_length_exceeded',
    },
  },
  'content-filter': {
    status: 400,
    error: { message: 'The prompt was refused by the content policy.', type: invalid, param: 'messages', code: 'content_filter' },
  },
  '401': {
    status: 401,
    error: { message: 'Incorrect API key provided.', type: invalid, param: null, code: 'invalid_api_key' },
  },
  '402': { status: 402, error: { message: 'Payment required.', type: 'billing_error', param: null, code: 'payment_required' } },
  '403': {
    status: 403,
    error: {
      message: 'You have insufficient permissions for this operation.',
      type: invalid,
      param: null,
      code: 'insufficient_permissions',
    },
  },
  '404': {
    status: 404,
    error: { message: 'The model does not exist or you do not have access to it.', type: invalid, param: null, code: 'model_not_found' },
  },
  '408': { status: 408, error: { message: 'Request timed out.', type: serverError, param: null, code: 'request_timeout' } },
  '409': { status: 409, error: { message: 'The resource is busy. Please try again.', type: invalid, param: null, code: 'conflict' } },
  '413': { status: 413, error: { message: 'The request is too large.', type: invalid, param: null, code: 'request_too_large' } },
  '422': { status: 422, error: { message: 'The request cannot be processed.', type: invalid, param: 'messages', code: 'unprocessable' } },
  '429': { status: 429, error: rateLimited('requests', 'RPM'), retryAfter: true },
  '429-tokens': { status: 429, error: rateLimited('tokens', 'TPM'), retryAfter: true },
  quota: {
    status: 429,
    error: {
      message: 'You exceeded your current quota, please check your plan and billing details.',
      type: 'insufficient_quota',
      param: null,
      code: 'insufficient_quota',
    },
  },
  '500': { status: 500, error: failureInAStream },
  '502': { status: 502, error: { message: 'Bad gateway.', type: serverError, param: null, code: null } },
  '503': {
    status: 503,
    error: { message: 'The engine is currently overloaded, please try again later.', type: serverError, param: null, code: 'overloaded' },
    retryAfter: true,
  },
  '504': { status: 504, error: { message: 'The request timed out upstream.', type: serverError, param: null, code: 'timeout' } },
} satisfies Record<string, Template>;

/** Errors that are no JSON: what a load balancer in front of a provider sends. */
const bareFailures: Readonly<Record<string, Failure>> = {
  html: {
    status: 502,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n',
  },
  empty: { status: 500, headers: {}, body: '' },
};

const templateByName: Readonly<Record<string, Template>> = templates;

/** What an endpoint calls the prompt. */
export type PromptParameter = 'messages' | 'input' | 'prompt' | 'query';

/** The names an `error` option may have. */
export const errorKinds: readonly string[] = [...Object.keys(templates), ...Object.keys(bareFailures)];

/**
 * The error answer of this kind. `promptParameter` is what the endpoint calls the prompt; `retryAfterSeconds` is sent only with kinds that carry it (429, 429-tokens, 503).
 * @throws RangeError on a kind that is not in `errorKinds`: options are checked where they are parsed.
 */
export function failureOfKind(kind: string, retryAfterSeconds: number, promptParameter: PromptParameter = 'messages'): Failure {
  const bare = bareFailures[kind];
  if (bare !== undefined) return bare;
  const template = templateByName[kind];
  if (template === undefined) throw new RangeError(`no error of kind ${kind}`);
  const { error } = template;
  const named = error.param === 'messages' ? { ...error, param: promptParameter } : error;
  return failure(template.status, named, template.retryAfter === true ? { 'retry-after': String(retryAfterSeconds) } : {});
}
