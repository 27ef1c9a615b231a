import { Agent, errors, request } from 'undici';
import type { SendOutcome } from './send-outcome.ts';

/** Posts one message. Never throws but for `signal`. */
export interface HttpSender {
  readonly post: (url: string, headers: Readonly<Record<string, string>>, body: string, signal: AbortSignal) => Promise<SendOutcome>;
  /** Ends what is under way. */
  readonly close: () => Promise<void>;
}

const connectTimeoutMs = 5_000;
/** Connecting, the answer's head and what is read of it. Standard Webhooks says 15 to 30 s. */
const longestMs = 20_000;
const mostHeaderBytes = 16_384;
/** An answer's body says nothing to us; so much of it is read past before the connection is cut. */
const mostBodyBytes = 16_384;

const causes: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its host has no address',
  EAI_AGAIN: 'its host could not be looked up',
  ECONNREFUSED: 'it refused the connection',
  ECONNRESET: 'it broke the connection off',
  EPIPE: 'it broke the connection off',
  UND_ERR_CONNECT_TIMEOUT: 'it did not answer in time',
  UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
  UND_ERR_SOCKET: 'it broke the connection off',
  UND_ERR_HEADERS_OVERFLOW: 'its headers were too long',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not trusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is of another host',
  CERT_HAS_EXPIRED: 'its certificate has expired',
};

/**
 * Speaks http and https, to any host that a channel names (who may name one is a permission), each message on a connection of its own.
 * Redirects are not followed, they are failures; of an answer only the status and `Retry-After` are looked at, so that nothing of what a
 * host says can be seen by who asked.
 * @param timeoutMs for a message, everything together.
 */
export function createHttpSender(timeoutMs = longestMs): HttpSender {
  const agent = new Agent({ pipelining: 0, maxHeaderSize: mostHeaderBytes, connect: { timeout: connectTimeoutMs } });
  return {
    post: async (url, headers, body, signal) => {
      try {
        const ends = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
        const answer = await request(url, {
          dispatcher: agent,
          method: 'POST',
          headers: { 'content-type': 'application/json', 'user-agent': 'turnpike', ...headers },
          body,
          headersTimeout: timeoutMs,
          bodyTimeout: timeoutMs,
          signal: ends,
        });
        // The status has said it all: a body that breaks off or never ends changes nothing.
        await answer.body.dump({ limit: mostBodyBytes, signal: ends }).catch(() => {});
        return outcomeOf(answer.statusCode, answer.headers['retry-after']);
      } catch (error) {
        signal.throwIfAborted();
        return { kind: 'failed', status: null, error: `The receiver could not be reached: ${causeOf(error)}.`, retryAfterMs: null };
      }
    },
    close: () => agent.destroy(),
  };
}

function outcomeOf(status: number, retryAfter: string | string[] | undefined): SendOutcome {
  if (status >= 200 && status < 300) return { kind: 'delivered', status, note: null };
  if (status === 410) return { kind: 'gone', status, error: 'The receiver answered HTTP 410: it is gone.' };
  const moved = status >= 300 && status < 400 ? ', and redirects are not followed' : '';
  return { kind: 'failed', status, error: `The receiver answered HTTP ${status}${moved}.`, retryAfterMs: secondsAsked(retryAfter) };
}

/** Seconds only: of a date one would have to know by whose clock. */
function secondsAsked(retryAfter: string | string[] | undefined): number | null {
  return typeof retryAfter === 'string' && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1_000 : null;
}

function causeOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'it did not answer in time';
  const code = error instanceof errors.UndiciError || (error instanceof Error && 'code' in error) ? String(error.code) : '';
  return causes[code] ?? 'the connection failed';
}
