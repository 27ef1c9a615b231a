import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { Pool } from 'undici';
import type { SnapshotProvider } from '../../registry/snapshot.ts';
import type { SentBody } from '../body/sent-body.ts';
import { bodyLength, LARGE_BYTES } from '../body/sent-body.ts';
import { bitsOf } from './large-body.ts';
import type { UpstreamReceiver } from './upstream-call.ts';
import { UpstreamCall } from './upstream-call.ts';

/** Methods that providers are asked by. */
export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What is sent with a call. */
export type UpstreamBody = SentBody | Readable;

/** Bounds of calls to one provider, with the defaults that configuration may replace. */
export interface UpstreamBounds {
  readonly connectTimeoutMs: number;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Connections, hence calls at once: a call beyond it is refused, never queued. Sized to streams, not to requests a second. */
  readonly maxConnections: number;
}

/** The first byte of a long reasoning answer may take as long as the official SDKs wait: ten minutes. */
const DEFAULTS: UpstreamBounds = { connectTimeoutMs: 10_000, firstByteTimeoutMs: 600_000, idleTimeoutMs: 120_000, maxConnections: 4_096 };
/** Longer than any think time of an agent, so that a connection's TLS handshake is paid once. A server's own hint is obeyed. */
const KEEP_ALIVE_MS = 60_000;
const KEEP_ALIVE_MAX_MS = 600_000;
/** A connection is free one turn of the loop after its call ended. */
const SLACK_CONNECTIONS = 16;

/** A provider as the proxy calls it: its connections, and everything about a call that does not change from call to call. */
export interface Upstream {
  readonly provider: SnapshotProvider;
  readonly bounds: UpstreamBounds;
  /** Connections taken. */
  inFlight(): number;
  /** Keeps a connection for a call. False when all are taken; else exactly one {@link send} or {@link release} follows. */
  take(): boolean;
  /** Gives back what {@link take} kept, when no call was made. */
  release(): void;
  /**
   * Sends one request on the connection that was taken.
   * @param path below the provider's base URL, starting with a slash.
   * @param headers flat list of names and values; `content-length` is added. @param body empty: none; nobody may look at a large one any more; or as it comes, and
   *   then of the length that the headers announce, if they do.
   */
  send(method: HttpMethod, path: string, headers: string[], body: UpstreamBody, receiver: UpstreamReceiver): UpstreamCall;
  /** Ends all calls and connections. */
  destroy(): Promise<void>;
  /** Ends when the calls under way have. */
  close(): Promise<void>;
}

/** undici takes bodies that are iterables, which its types leave out. */
interface Sender {
  dispatch(
    options: Omit<Dispatcher.DispatchOptions, 'body'> & { readonly body?: Dispatcher.DispatchOptions['body'] | Iterable<Buffer> },
    handler: Dispatcher.DispatchHandler,
  ): boolean;
}

/** Opens nothing yet: connections are made when first needed. */
export function createUpstream(provider: SnapshotProvider): Upstream {
  const { connectTimeoutMs, firstByteTimeoutMs, idleTimeoutMs, maxConnections } = provider.options;
  const bounds: UpstreamBounds = {
    connectTimeoutMs: connectTimeoutMs ?? DEFAULTS.connectTimeoutMs,
    firstByteTimeoutMs: firstByteTimeoutMs ?? DEFAULTS.firstByteTimeoutMs,
    idleTimeoutMs: idleTimeoutMs ?? DEFAULTS.idleTimeoutMs,
    maxConnections: maxConnections ?? DEFAULTS.maxConnections,
  };
  const base = new URL(provider.baseUrl);
  const basePath = base.pathname.replace(/\/+$/, '');
  const pool = new Pool(base.origin, {
    connections: bounds.maxConnections + SLACK_CONNECTIONS,
    pipelining: 1,
    allowH2: false,
    connectTimeout: bounds.connectTimeoutMs,
    headersTimeout: bounds.firstByteTimeoutMs,
    bodyTimeout: bounds.idleTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
  });
  const sender: Sender = pool;
  let inFlight = 0;
  const onSettled = (): void => {
    inFlight -= 1;
  };
  return {
    provider,
    bounds,
    inFlight: () => inFlight,
    take: () => {
      if (inFlight >= bounds.maxConnections) return false;
      inFlight += 1;
      return true;
    },
    release: onSettled,
    send: (method, path, headers, body, receiver) => {
      const call = new UpstreamCall(receiver, onSettled);
      sender.dispatch({ path: basePath + path, method, headers, body: bodyOf(body, headers) }, call);
      return call;
    },
    destroy: () => pool.destroy(),
    close: () => pool.close(),
  };
}

/** What is sent, its length announced: some providers take no body without. */
function bodyOf(body: UpstreamBody, headers: string[]): Buffer | Readable | Iterable<Buffer> | null {
  if (body instanceof Readable) return body;
  const length = bodyLength(body);
  if (length === 0) return null;
  if (Buffer.isBuffer(body) && length < LARGE_BYTES) return body;
  headers.push('content-length', String(length));
  return bitsOf(Buffer.isBuffer(body) ? [body] : body);
}
