import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError } from '../../../schema/errors.ts';
import type { RequestOverride } from '../../../schema/http/request-overrides.ts';
import { REQUEST_OVERRIDES } from '../../../schema/http/request-overrides.ts';

/** By what a request may bound itself, in milliseconds; null = by nothing but what holds for all. */
export interface RequestOverrides {
  readonly timeoutMs: number | null;
  /** Of a stream, to its first event. */
  readonly streamTimeoutMs: number | null;
}

/** Ours first: it wins over its alias. */
const both = (name: string): readonly string[] => [`x-turnpike-${name}`, `x-litellm-${name}`];
const GRANTABLE = REQUEST_OVERRIDES.flatMap((override) => both(override).map((header) => ({ header, override })));
/** What applications ask of other gateways and none of our keys can grant (client-contract section 6). */
const UNKNOWN = ['num-retries', 'priority', 'enable-message-redaction'].flatMap(both);

const SECONDS = /^\d{1,4}(\.\d{1,3})?$/;
const LONGEST_SECONDS = 3_600;
const NONE: RequestOverrides = { timeoutMs: null, streamTimeoutMs: null };

/**
 * Reads what a request wants to decide for itself. @param allowed by its key; null = nothing.
 * @throws {GatewayError} `header_not_allowed` naming the header: what cannot be obeyed is refused, never ignored in silence.
 */
export function requestOverrides(headers: IncomingHttpHeaders, allowed: ReadonlySet<RequestOverride> | null): RequestOverrides {
  for (const name of UNKNOWN) if (headers[name] !== undefined) throw refusal(name, 'this API key may not override it');
  let given: Map<RequestOverride, number> | null = null;
  for (const { header, override } of GRANTABLE) {
    const text = headers[header];
    if (text === undefined) continue;
    if (allowed?.has(override) !== true) throw refusal(header, 'this API key may not override it');
    const seconds = SECONDS.test(String(text)) ? Number(text) : 0;
    if (seconds < 1 || seconds > LONGEST_SECONDS) throw refusal(header, `expected a number of seconds from 1 to ${LONGEST_SECONDS}`);
    given ??= new Map();
    if (!given.has(override)) given.set(override, seconds * 1_000);
  }
  return given === null ? NONE : { timeoutMs: given.get('timeout') ?? null, streamTimeoutMs: given.get('stream-timeout') ?? null };
}

function refusal(name: string, why: string): GatewayError {
  return new GatewayError('header_not_allowed', { message: `Header '${name}': ${why}.`, param: name });
}
