import { Agent, errors, request } from 'undici';
import type { ProviderProtocol } from '../../../schema/values/provider-protocol.ts';
import type { ProviderAccess } from '../../registry/provider-access.ts';
import { apiVersionQuery, PROVIDER_ACCESS } from '../../registry/provider-access.ts';

/** Everything together: connecting, the answer's head, and what is read of it. */
const timeoutMs = 5_000;
const mostHeaderBytes = 16_384;

const causes: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its host has no address',
  EAI_AGAIN: 'its host could not be looked up',
  ECONNREFUSED: 'it refused the connection',
  ECONNRESET: 'it broke the connection off',
  UND_ERR_CONNECT_TIMEOUT: 'it did not answer in time',
  UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
  UND_ERR_SOCKET: 'it broke the connection off',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not trusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is of another host',
  CERT_HAS_EXPIRED: 'its certificate has expired',
};

/**
 * Tries a credential: one GET below the base URL that answers whom the provider knows, once, on a connection of its own, for 5 seconds at most. Only http and https are
 * spoken, redirects are not followed (the secret would go along), and of the answer nothing but the status is looked at, so that
 * nothing of what the host says is shown to who asked. Which hosts a provider may name is up to who may create one.
 * @returns null where the provider let it in, else why it did not: never with the secret, nor with words of the answer.
 */
export async function verifyCredential(
  provider: { readonly protocol: ProviderProtocol; readonly baseUrl: string; readonly options: { readonly apiVersion?: string } },
  secret: string,
  signal: AbortSignal,
): Promise<string | null> {
  const { trialPath, trialHeaders, credentialHeader }: ProviderAccess = PROVIDER_ACCESS[provider.protocol];
  if (trialPath === null) return 'The provider has nothing that only a good credential opens: try it with a request.';
  const url = URL.parse(`${provider.baseUrl.replace(/\/+$/, '')}${trialPath}${apiVersionQuery(provider.options.apiVersion)}`);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return 'The base URL of the provider is no http(s) URL.';
  const [name, value] = credentialHeader(secret);
  const agent = new Agent({ connections: 1, pipelining: 0, maxHeaderSize: mostHeaderBytes, connect: { timeout: timeoutMs } });
  try {
    const { statusCode, body } = await request(url, {
      dispatcher: agent,
      method: 'GET',
      headers: { ...trialHeaders, [name]: value, accept: 'application/json', 'user-agent': 'turnpike' },
      headersTimeout: timeoutMs,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    // The body is cut off with the agent; until then its errors are nobody's.
    body.on('error', () => {});
    if (statusCode >= 200 && statusCode < 300) return null;
    if (statusCode === 401 || statusCode === 403) return `The provider refused the credential (HTTP ${statusCode}).`;
    return `The provider answered HTTP ${statusCode}, which says nothing about the credential.`;
  } catch (error) {
    signal.throwIfAborted();
    return `The provider could not be reached: ${causeOf(error)}.`;
  } finally {
    await agent.destroy();
  }
}

function causeOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'it did not answer in time';
  const code = error instanceof errors.UndiciError || (error instanceof Error && 'code' in error) ? String(error.code) : '';
  return causes[code] ?? 'the connection failed';
}
