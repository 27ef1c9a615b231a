import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** One address in front of several, as a load balancer gives it. */
export type RoundRobinFront = {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly close: () => Promise<void>;
};

/**
 * Hands each connection to the next of the targets in turn, and to the one after where that one does not accept it, as any TCP load
 * balancer does. It knows nothing of HTTP: a connection stays with its target, and ends when either side ends it.
 * @param targets URLs of which host and port count.
 */
export async function startRoundRobinFront(targets: readonly string[]): Promise<RoundRobinFront> {
  const addresses = targets.map((target) => new URL(target));
  const sockets = new Set<Socket>();
  let next = 0;

  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  };
  const reach = (client: Socket, first: number, tried: number): void => {
    const address = addresses[(first + tried) % addresses.length];
    if (address === undefined || tried === addresses.length || client.destroyed) {
      client.destroy();
      return;
    }
    const target = connect({ host: address.hostname, port: Number(address.port), noDelay: true });
    keep(target);
    const onRefused = (): void => reach(client, first, tried + 1);
    target.once('error', onRefused);
    target.once('connect', () => {
      target.off('error', onRefused);
      client.pipe(target);
      target.pipe(client);
      client.once('close', () => target.destroy());
      target.once('close', () => client.destroy());
    });
  };
  const server = createServer({ noDelay: true }, (client) => {
    keep(client);
    reach(client, next, 0);
    next = (next + 1) % addresses.length;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
