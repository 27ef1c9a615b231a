import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { ClientAddressOf } from '../runtime/client-address.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Drain } from './live/drain.ts';
import { createSocketOperationIds } from './socket-operation-ids.ts';
import type { SocketProtocol } from './socket-protocol.ts';
import type { SocketSession } from './socket-session.ts';
import { createSocketSession } from './socket-session.ts';

/** Bounds of sockets (reference/graphql.md section 4). */
const mostFrameBytes = 65_536;
const mostFramesPerSecond = 30;
const mostSocketsOfAddress = 100;
const pingMs = 12_000;
const policyViolation = 1008;
const serviceRestart = 1012;

export interface WebSocketEndpoint {
  /** How many sockets are open. */
  readonly sockets: () => number;
  /** Says goodbye to all and resolves when they are gone; `cut` ends those who do not go. */
  readonly stop: (cut: AbortSignal) => Promise<void>;
}

/**
 * Takes sockets at `/graphql`. A page of another origin is refused, so that no website can use a visitor's network place; other
 * programs send no origin. Whoever does not answer pings is gone within 24 s.
 */
export function addWebSocket(
  app: FastifyInstance,
  options: {
    readonly protocol: SocketProtocol;
    readonly clientAddress: ClientAddressOf;
    readonly drain: Drain;
    readonly clock: Clock;
    readonly log: Log;
    readonly host: string;
  },
): WebSocketEndpoint {
  const { protocol, clientAddress, drain, clock, log, host } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: mostFrameBytes,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) ? GRAPHQL_TRANSPORT_WS_PROTOCOL : false),
  });
  const ofAddress = new Map<string, number>();
  const sessions = new Map<WebSocket, SocketSession>();
  const answering = new WeakSet<WebSocket>();

  const isOwnOrigin = (origin: string): boolean => {
    const { port } = app.server.address() as AddressInfo;
    return [host, 'localhost', '127.0.0.1', '[::1]'].some((name) => origin === `http://${name}:${port}`);
  };

  app.server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const address = clientAddress(request) ?? '';
    const { origin } = request.headers;
    if (URL.parse(request.url ?? '', 'http://localhost')?.pathname !== '/graphql') return refuse(socket, '404 Not Found');
    if (drain.draining()) return refuse(socket, '503 Service Unavailable');
    if (origin !== undefined && !isOwnOrigin(origin)) return refuse(socket, '403 Forbidden');
    if ((ofAddress.get(address) ?? 0) >= mostSocketsOfAddress) return refuse(socket, '429 Too Many Requests');
    sockets.handleUpgrade(request, socket, head, (webSocket) => take(webSocket, request, address));
  });

  const take = (socket: WebSocket, request: IncomingMessage, address: string): void => {
    ofAddress.set(address, (ofAddress.get(address) ?? 0) + 1);
    const session = createSocketSession({
      address,
      userAgent: request.headers['user-agent']?.slice(0, 256) ?? null,
      authorization: request.headers.authorization,
      closeSocket: (code, reason) => socket.close(code, reason),
    });
    sessions.set(socket, session);
    answering.add(socket);
    socket.on('pong', () => answering.add(socket));
    // A broken socket closes next; there is nothing else to do about it.
    socket.on('error', (error) => log.debug({ error }, 'a socket broke'));

    let frames = 0;
    let secondStartedMs = clock.monotonic();
    const isFlood = (): boolean => {
      if (clock.monotonic() - secondStartedMs >= 1_000) {
        secondStartedMs = clock.monotonic();
        frames = 0;
      }
      frames += 1;
      return frames > mostFramesPerSecond;
    };

    const ids = createSocketOperationIds();
    const closed = protocol.server.opened(
      {
        protocol: socket.protocol,
        // Resolves once the frame is handed to the network: a stream is pulled no faster than its reader reads.
        send: (data) =>
          new Promise((resolve, reject) => {
            const frame = ids.outgoing(data);
            if (frame === null || socket.readyState !== socket.OPEN) return resolve();
            socket.send(frame, (error) => (error == null ? resolve() : reject(error)));
          }),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle) => {
          socket.on('message', (data) => {
            if (isFlood()) return socket.close(policyViolation, `At most ${mostFramesPerSecond} frames a second`);
            handle(ids.incoming(String(data))).catch((error: unknown) => {
              if (socket.readyState !== socket.OPEN) return;
              log.error({ error }, 'a socket failed');
              socket.close(1011, 'Internal error');
            });
          });
        },
      },
      session,
    );
    socket.once('close', (code, reason) => {
      sessions.delete(socket);
      const left = (ofAddress.get(address) ?? 1) - 1;
      if (left === 0) ofAddress.delete(address);
      else ofAddress.set(address, left);
      session.close();
      closed(code, String(reason)).catch((error: unknown) => log.error({ error }, 'a closed socket left something open'));
    });
  };

  const pinging = setInterval(() => {
    for (const socket of sessions.keys()) {
      if (!answering.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }, pingMs);
  drain.onDrain(() => {
    for (const session of sessions.values()) session.end(serviceRestart, 'Service restart');
  });

  return {
    sockets: () => sessions.size,
    stop: async (cut) => {
      clearInterval(pinging);
      const terminate = (): void => {
        for (const socket of sessions.keys()) socket.terminate();
      };
      if (cut.aborted) terminate();
      cut.addEventListener('abort', terminate, { once: true });
      await Promise.all([...sessions.keys()].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
      cut.removeEventListener('abort', terminate);
    },
  };
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
