import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createConnection, createServer } from 'node:net';

/** A TCP proxy in front of a server that can be told to lose connections. */
export interface CuttingProxy {
  /** Port it listens at, on 127.0.0.1. */
  readonly port: number;
  /** Cuts each connection after `bytes` more bytes of answers, from now on. 0: the next answer is lost whole, though the server did what was asked. */
  cutAfter(bytes: number): void;
  /** Lets everything through again. */
  heal(): void;
  /** Connections cut so far. */
  readonly cuts: () => number;
  close(): Promise<void>;
}

/** @param target port of the server on 127.0.0.1, or path of its Unix socket. @param port where to listen; 0 = any free port. */
export async function startCuttingProxy(target: number | string, port = 0): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  let allowance: number | null = null;
  let cuts = 0;

  const server = createServer((client) => {
    const upstream = typeof target === 'string' ? createConnection(target) : createConnection({ host: '127.0.0.1', port: target });
    let answered = 0;
    let counting = false;
    const end = (): void => {
      client.destroy();
      upstream.destroy();
      open.delete(client);
      open.delete(upstream);
    };
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (chunk) => void upstream.write(chunk));
    upstream.on('data', (chunk) => {
      if (allowance === null) {
        counting = false;
        client.write(chunk);
        return;
      }
      if (!counting) answered = 0;
      counting = true;
      const left = allowance - answered;
      answered += chunk.length;
      if (chunk.length <= left) {
        client.write(chunk);
        return;
      }
      cuts++;
      // What may still pass goes out before the end does.
      if (left > 0) client.end(chunk.subarray(0, left), end);
      else end();
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  return {
    port: address.port,
    cutAfter: (bytes) => {
      allowance = bytes;
    },
    heal: () => {
      allowance = null;
    },
    cuts: () => cuts,
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
