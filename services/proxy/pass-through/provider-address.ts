import { GatewayError } from '../../../schema/errors.ts';

/** Where a request goes below the name of a provider. */
export interface ProviderAddress {
  readonly provider: string;
  /** Below the provider's base URL, with its query. */
  readonly path: string;
}

/** By which applications of some providers say who they are: that is the gateway's to do. */
const CREDENTIAL_PARAMETERS: ReadonlySet<string> = new Set(['key', 'api_key', 'api-key', 'access_token']);
const MAX_LENGTH = 4_096;
/** What a server may take for a way up, or for another part of the path than it looks: `..`, `.`, an empty part, a backslash, an encoded slash. */
const WAY_OUT = /(?:^|\/)(?:(?:\.|%2e){1,2}(?:\/|$)|\/)|\\|%5c|%2f/i;
/** A name of AWS's has slashes that are no parts of the path: it is looked at as if they were. */
const ARN = /(?<=^|\/)arn(?::|%3a)[^/]*/gi;

/** The name of the provider in the path of a request, percent-encoded; null where there is nothing below it. */
export function providerSegment(path: string): string | null {
  const end = path.indexOf('/', 1);
  return path.startsWith('/') && end > 1 && end < path.length - 1 ? path.slice(1, end) : null;
}

/**
 * Reads the target of a request, as it was sent. A base URL that ends in `/v1` is found with and without it: who points an SDK at a provider's name keeps
 * the `/v1` that the SDK adds, and who writes addresses by hand goes by the documentation of the provider.
 * @param target of the request line, whose path begins with the name. @throws {GatewayError} `invalid_request` for one that would lead out of the base URL.
 */
export function providerAddress(target: string, provider: string, baseUrl: string): ProviderAddress {
  const begin = target.indexOf('/', target.indexOf(`/${provider}/`) + 1);
  const rest = target.slice(begin).replace(/#.*$/s, '');
  const asked = rest.indexOf('?');
  const path = asked < 0 ? rest : rest.slice(0, asked);
  if (rest.length > MAX_LENGTH || WAY_OUT.test(path.slice(1).replace(ARN, (arn) => arn.replace(/%2f/gi, '/'))))
    throw new GatewayError('invalid_request', { message: 'The address of the request is not valid.' });
  return {
    provider,
    path: withoutRepetition(path, new URL(baseUrl).pathname) + (asked < 0 ? '' : withoutCredentials(rest.slice(asked + 1))),
  };
}

/** `/v1/files` below a base URL that ends in `/v1` is `/files`. */
function withoutRepetition(path: string, basePath: string): string {
  const last = basePath.replace(/\/+$/, '').split('/').at(-1) ?? '';
  return last !== '' && path.startsWith(`/${last}/`) ? path.slice(last.length + 1) : path;
}

function withoutCredentials(query: string): string {
  const kept = query.split('&').filter((parameter) => parameter !== '' && !CREDENTIAL_PARAMETERS.has(nameOf(parameter)));
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}

function nameOf(parameter: string): string {
  const [name = ''] = parameter.split('=', 1);
  try {
    return decodeURIComponent(name).toLowerCase();
  } catch {
    return name.toLowerCase();
  }
}
