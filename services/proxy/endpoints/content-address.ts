import { GatewayError } from '../../../schema/errors.ts';

/** What stands below the models in an address of Google's: `gemini%2Fgemini-2.5-flash:generateContent?alt=sse`. */
export interface ContentAddress {
  readonly model: string;
  readonly method: string;
  readonly query: string;
}

/** Longest address of a model, percent-encoded, as elsewhere. */
const MAX_ADDRESS = 1_024;
const ADDRESS = /^([^?]+):(\w+)(?:\?(.*))?$/;

/** @throws {GatewayError} `endpoint_not_found` for what is no such address, and for methods that are not served. */
export function contentAddress(rest: string, methods: readonly string[]): ContentAddress {
  const [, encoded = '', method = '', query = ''] = rest.length > MAX_ADDRESS ? [] : (ADDRESS.exec(rest) ?? []);
  if (!methods.includes(method)) {
    const message =
      "Of Google's methods generateContent, streamGenerateContent, countTokens, embedContent and batchEmbedContents are served here; ask a provider for others by `/{provider}/…`.";
    throw new GatewayError('endpoint_not_found', { message });
  }
  try {
    return { model: decodeURIComponent(encoded), method, query };
  } catch {
    throw new GatewayError('invalid_request', { message: 'The address of the request is not valid.' });
  }
}
