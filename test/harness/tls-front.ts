import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { createConnection, createServer } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Certificate } from './certificate.ts';

/** TLS in front of a server that speaks none, as a load balancer puts it there. */
export interface TlsFront {
  /** Port it listens at, on 127.0.0.1. */
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** PostgreSQL's SSLRequest (protocol 3, "SSL session encryption"): its length 8, then this code. */
const SSL_REQUEST = 80_877_103;

/**
 * @param target port of the server on 127.0.0.1, or path of its Unix socket.
 * @param protocol whether TLS begins at once, or after PostgreSQL's way of asking for it; who does not ask is turned away.
 */
export async function startTlsFront(
  target: number | string,
  certificate: Certificate,
  protocol: 'tls' | 'postgres' = 'tls',
): Promise<TlsFront> {
  const secureContext = createSecureContext({ pfx: await readFile(certificate.storePath), passphrase: certificate.password });
  const open = new Set<Socket>();

  const secure = (plain: Socket): void => {
    const client = new TLSSocket(plain, { isServer: true, secureContext });
    const upstream = typeof target === 'string' ? createConnection(target) : createConnection({ host: '127.0.0.1', port: target });
    open.add(upstream);
    const end = (): void => {
      open.delete(upstream);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.on('error', end);
      socket.on('close', end);
    }
    client.pipe(upstream);
    upstream.pipe(client);
  };

  const server = createServer((plain) => {
    open.add(plain);
    plain.setNoDelay(true);
    plain.on('error', () => plain.destroy());
    plain.on('close', () => open.delete(plain));
    if (protocol === 'tls') {
      secure(plain);
      return;
    }
    plain.once('readable', () => {
      const request: unknown = plain.read(8);
      if (!Buffer.isBuffer(request) || request.readInt32BE(4) !== SSL_REQUEST) {
        plain.destroy();
        return;
      }
      plain.write('S');
      secure(plain);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
