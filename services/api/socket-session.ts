import type { Authentication } from './authenticate.ts';
import type { PrincipalWatch } from './principals.ts';

/** One WebSocket as the protocol sees it: who it is, what runs on it, and how it is going to end. */
export interface SocketSession {
  readonly address: string;
  readonly userAgent: string | null;
  /** From the upgrade request; a browser cannot set it and sends it in `connection_init`. */
  readonly authorization: string | undefined;
  /** Aborted when the socket is gone. */
  readonly gone: AbortSignal;
  readonly known: () => Extract<Authentication, { kind: 'known' }> | null;
  readonly admit: (authentication: Extract<Authentication, { kind: 'known' }>, watch: PrincipalWatch) => void;
  /** Operations that run; a session that ends takes no more. */
  readonly active: () => number;
  readonly began: (id: string) => void;
  /** The stream of an operation that began: it ends with the socket, whatever the protocol does. */
  readonly streams: (id: string, stream: AsyncIterator<unknown>) => void;
  readonly completed: (id: string) => void;
  readonly ending: () => boolean;
  /** Closes as soon as every stream has said goodbye, or after a second. */
  readonly end: (code: number, reason: string) => void;
  /** To be called once, when the socket is closed. */
  readonly close: () => void;
}

/** How long goodbyes may take once a socket has to end. */
const goodbyeMs = 1_000;

export function createSocketSession(options: {
  readonly address: string;
  readonly userAgent: string | null;
  readonly authorization: string | undefined;
  /** Closes the socket itself. */
  readonly closeSocket: (code: number, reason: string) => void;
}): SocketSession {
  const gone = new AbortController();
  let known: Extract<Authentication, { kind: 'known' }> | null = null;
  let watching: PrincipalWatch | null = null;
  const operations = new Map<string, AsyncIterator<unknown> | null>();
  let last: { readonly code: number; readonly reason: string } | null = null;
  let timer: NodeJS.Timeout | null = null;

  const closeNow = (): void => {
    if (last !== null && !gone.signal.aborted) options.closeSocket(last.code, last.reason);
  };
  const end = (code: number, reason: string): void => {
    if (last !== null) return;
    last = { code, reason };
    if (operations.size === 0) closeNow();
    else timer = setTimeout(closeNow, goodbyeMs);
  };

  return {
    address: options.address,
    userAgent: options.userAgent,
    authorization: options.authorization,
    gone: gone.signal,
    known: () => known,
    admit: (authentication, watch) => {
      known = authentication;
      watching = watch;
      watch.onChange(() => {
        const { kind } = watch.current();
        // Expired comes back with a new key; revoked must not come back at all (DESIGN.md, ruling "WebSocket close").
        if (kind === 'expired') end(4403, 'The key has expired');
        else if (kind !== 'known') end(4401, 'The key is no longer good');
      });
    },
    active: () => operations.size,
    began: (id) => operations.set(id, null),
    streams: (id, stream) => {
      if (gone.signal.aborted) void stream.return?.();
      else operations.set(id, stream);
    },
    completed: (id) => {
      operations.delete(id);
      // The `complete` of this operation is written right after this call: it goes out before the close.
      if (operations.size === 0 && last !== null) setImmediate(closeNow);
    },
    ending: () => last !== null,
    end,
    close: () => {
      gone.abort();
      for (const stream of operations.values()) void stream?.return?.();
      watching?.release();
      if (timer !== null) clearTimeout(timer);
    },
  };
}
