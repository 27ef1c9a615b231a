/**
 * The one catalogue of refusals and failures an application can see (reference/client-contract.md, sections 2 and 9).
 * The official SDKs choose their error class by status and decide on a retry by status and `x-should-retry`,
 * so both are fixed here and nowhere else.
 */
interface ErrorKind {
  readonly status: number;
  /** OpenAI `error.type`. */
  readonly type: string;
  /** Whether the same request may succeed later; `false` makes answers carry `x-should-retry: false`. */
  readonly retryable: boolean;
  /** Says what is wrong and what to do; endpoints may replace it by a more exact sentence. */
  readonly message: string;
}

export const ERRORS = {
  invalid_api_key: {
    status: 401,
    type: 'authentication_error',
    retryable: false,
    message: 'The API key is missing, malformed or unknown. Send it as `Authorization: Bearer tpk_ak_…`.',
  },
  key_expired: { status: 401, type: 'authentication_error', retryable: false, message: 'This API key has expired. Ask for a new one.' },
  key_revoked: { status: 401, type: 'authentication_error', retryable: false, message: 'This API key was revoked. Ask for a new one.' },
  key_disabled: { status: 403, type: 'permission_error', retryable: false, message: 'This API key is disabled.' },
  model_not_allowed: { status: 403, type: 'permission_error', retryable: false, message: 'This API key may not use this model.' },
  address_not_allowed: {
    status: 403,
    type: 'permission_error',
    retryable: false,
    message: 'This API key may not be used from this address.',
  },
  endpoint_not_allowed: { status: 403, type: 'permission_error', retryable: false, message: 'This API key may not use this endpoint.' },
  model_not_found: {
    status: 404,
    type: 'invalid_request_error',
    retryable: false,
    message: 'There is no such model. `GET /v1/models` lists those you may use.',
  },
  model_ambiguous: {
    status: 400,
    type: 'invalid_request_error',
    retryable: false,
    message: 'Several providers offer this model; name one as `provider/model`.',
  },
  file_not_found: { status: 404, type: 'invalid_request_error', retryable: false, message: 'There is no such file.' },
  batch_not_found: { status: 404, type: 'invalid_request_error', retryable: false, message: 'There is no such batch.' },
  batch_not_settled: {
    status: 409,
    type: 'invalid_request_error',
    retryable: true,
    message: 'What the batch cost is still to be read out of this file. Delete it in a minute.',
  },
  endpoint_not_found: { status: 404, type: 'invalid_request_error', retryable: false, message: 'There is no such endpoint.' },
  endpoint_not_supported: {
    status: 400,
    type: 'invalid_request_error',
    retryable: false,
    message: 'The provider of this model does not serve this endpoint.',
  },
  invalid_request: { status: 400, type: 'invalid_request_error', retryable: false, message: 'The request is not valid.' },
  invalid_json: { status: 400, type: 'invalid_request_error', retryable: false, message: 'The request body is not valid JSON.' },
  unsupported_content_type: {
    status: 400,
    type: 'invalid_request_error',
    retryable: false,
    message: 'Send the body as `content-type: application/json`.',
  },
  header_not_allowed: {
    status: 400,
    type: 'invalid_request_error',
    retryable: false,
    message: 'This header is not valid or not allowed for this key.',
  },
  request_too_large: { status: 413, type: 'invalid_request_error', retryable: false, message: 'The request body is larger than 32 MiB.' },
  request_timeout: { status: 408, type: 'invalid_request_error', retryable: true, message: 'The request body did not arrive in time.' },
  rate_limit_exceeded: {
    status: 429,
    type: 'rate_limit_error',
    retryable: true,
    message: 'Too many requests. Retry after the time given in `Retry-After`.',
  },
  request_exceeds_rate_limit: {
    status: 400,
    type: 'invalid_request_error',
    retryable: false,
    message: 'The request could use more than a whole rate limit. Lower its `max_tokens`, make it shorter, or have the limit raised.',
  },
  insufficient_quota: {
    status: 429,
    type: 'insufficient_quota',
    retryable: false,
    message:
      'What is left of a budget is less than the most that this request can use (`needed`; a lower `max_tokens` may lower it). The error says which budget, and when it resets.',
  },
  budget_in_flight: {
    status: 429,
    type: 'rate_limit_error',
    retryable: true,
    message: 'What is left of a budget is held by requests in flight. Retry after the time given in `Retry-After`.',
  },
  model_unpriced: {
    status: 403,
    type: 'permission_error',
    retryable: false,
    message: 'A budget in USD counts this request, and its model has no price.',
  },
  idempotency_in_progress: {
    status: 409,
    type: 'invalid_request_error',
    retryable: true,
    message: 'A request with this idempotency key still runs. Retry after the time given in `Retry-After`.',
  },
  idempotency_key_conflict: {
    status: 409,
    type: 'invalid_request_error',
    retryable: false,
    message: 'This idempotency key was used with another body in the last 24 hours. Use a new key for a new request.',
  },
  idempotency_answer_not_kept: {
    status: 409,
    type: 'invalid_request_error',
    retryable: false,
    message:
      'The request with this idempotency key is over and may have been charged, but its answer was not kept. Use a new key to send it anew.',
  },
  idempotency_outcome_unknown: {
    status: 409,
    type: 'invalid_request_error',
    retryable: false,
    message:
      'The gateway process that ran the request with this idempotency key ended first. It may have been charged: the ledger tells under ' +
      'its id. Use a new key to send it anew.',
  },
  idempotency_keys_exhausted: {
    status: 429,
    type: 'rate_limit_error',
    retryable: false,
    message: 'Too many idempotency keys were used in the last 24 hours. Send the request without one, or later.',
  },
  idempotency_unavailable: {
    status: 503,
    type: 'api_error',
    retryable: true,
    message: 'Idempotency keys cannot be looked up right now, so the request was not sent. Retry, or send it without a key.',
  },
  upstream_error: { status: 502, type: 'api_error', retryable: true, message: 'The provider failed to answer.' },
  upstream_credentials_rejected: {
    status: 502,
    type: 'api_error',
    retryable: false,
    message: "The provider refused the gateway's own credential. Your key is fine; tell the operator.",
  },
  upstream_unavailable: { status: 503, type: 'api_error', retryable: true, message: 'The provider cannot be reached right now.' },
  upstream_broken_stream: {
    status: 502,
    type: 'api_error',
    retryable: true,
    message: "The provider's stream broke before its end. What you received is incomplete.",
  },
  timeout: { status: 504, type: 'api_error', retryable: true, message: 'The provider did not answer in time.' },
  accounting_unavailable: {
    status: 503,
    type: 'api_error',
    retryable: true,
    message: 'The gateway cannot account for requests right now and refuses them instead of serving unbooked.',
  },
  overloaded: {
    status: 503,
    type: 'api_error',
    retryable: true,
    message: 'The gateway has more to do than it can. Retry after the time given in `Retry-After`.',
  },
  not_ready: { status: 503, type: 'api_error', retryable: true, message: 'The gateway is starting or stopping.' },
  client_closed_request: { status: 499, type: 'api_error', retryable: false, message: 'The client closed the connection.' },
  internal_error: {
    status: 500,
    type: 'api_error',
    retryable: true,
    message: 'The gateway failed. The request id finds the cause in its log.',
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** A refusal or failure from the catalogue. `param` names the offending field; `meta` is added beside the envelope's four fields. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: ErrorCode;
  /** Of the catalogue, except where an organization selects another. */
  readonly status: number;
  readonly param: string | null;
  readonly meta: Readonly<Record<string, unknown>>;
  /** Seconds for `Retry-After`; null sends none, except where the contract always wants one. */
  readonly retryAfterSeconds: number | null;

  constructor(
    code: ErrorCode,
    options: {
      message?: string;
      status?: number | undefined;
      param?: string | null;
      meta?: Readonly<Record<string, unknown>>;
      retryAfterSeconds?: number | null;
      cause?: unknown;
    } = {},
  ) {
    super(options.message ?? ERRORS[code].message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? ERRORS[code].status;
    this.param = options.param ?? null;
    this.meta = options.meta ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}
