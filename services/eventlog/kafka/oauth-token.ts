import type { Clock } from '../../runtime/clock.ts';
import type { KafkaLogin } from '../../runtime/kafka-environment.ts';

const REQUEST_TIMEOUT_MS = 10_000;
/** A token is asked for anew when this much of its life is left, so that a connection is never opened with one about to end. */
const MARGIN_MS = 30_000;

/**
 * Access tokens by OAuth 2.0 client credentials (RFC 6749 4.4), each used until shortly before it ends.
 * @throws Error that names the endpoint's status and nothing of what was sent or received.
 */
export function createTokenSource(login: Extract<KafkaLogin, { mechanism: 'oauthbearer' }>, clock: Clock): () => Promise<string> {
  let token: { readonly value: string; readonly untilMs: number } | null = null;
  let asking: Promise<string> | null = null;

  async function ask(): Promise<string> {
    const form = new URLSearchParams({ grant_type: 'client_credentials' });
    if (login.scope !== null) form.set('scope', login.scope);
    const credentials = `${encodeURIComponent(login.clientId)}:${encodeURIComponent(login.clientSecret)}`;
    const response = await fetch(login.tokenEndpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}`, accept: 'application/json' },
      body: form,
      redirect: 'error',
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`the token endpoint answered ${response.status}`);
    }
    const answer: unknown = await response.json().catch(() => null);
    if (typeof answer !== 'object' || answer === null || !('access_token' in answer) || typeof answer.access_token !== 'string') {
      throw new Error('the token endpoint answered without an access_token');
    }
    const livesMs = 'expires_in' in answer && typeof answer.expires_in === 'number' ? answer.expires_in * 1_000 : 0;
    token = { value: answer.access_token, untilMs: clock.monotonic() + livesMs - MARGIN_MS };
    return answer.access_token;
  }

  return async () => {
    if (token !== null && clock.monotonic() < token.untilMs) return token.value;
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  };
}
