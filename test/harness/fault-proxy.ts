import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createConnection, createServer } from 'node:net';

/** Which of the connections that are open a fault is for. */
type Chosen = () => boolean;

const everyOne: Chosen = () => true;

/** A TCP proxy in front of a server that can be told to lose, hold back and damage what goes through it. */
export interface FaultProxy {
  /** Port it listens at, on 127.0.0.1. */
  readonly port: number;
  /** Cuts each connection after `bytes` more bytes of answers, from now on. 0: the next answer is lost whole, though the server did what was asked. */
  cutAfter(bytes: number): void;
  /** Cuts connections that are open now. @returns how many. */
  cut(chosen?: Chosen): number;
  /**
   * Half-open: from now on nothing passes through these connections in either direction, and neither end is told. After
   * `serverKeepsMs` the server's side ends, as when its keepalives go unanswered; the client's stays as it is until the client
   * lets go of it. @returns how many.
   */
  silence(serverKeepsMs: number, chosen?: Chosen): number;
  /** Every byte comes this much later, from now on; 0 is at once again. */
  delay(delayMs: number): void;
  /** Flips one bit, at random, of what these connections carry next in either direction. @returns how many connections. */
  damage(random: { below(limit: number): number }, chosen?: Chosen): number;
  /** Takes no new connection, as a server that is not there. */
  refuse(refusing: boolean): void;
  /** Lets everything through again that is still connected. */
  heal(): void;
  /** Connections cut so far. */
  readonly cuts: () => number;
  /** Connections open now. */
  readonly connections: () => number;
  close(): Promise<void>;
}

type Link = {
  readonly client: Socket;
  readonly upstream: Socket;
  answered: number;
  counting: boolean;
  silent: boolean;
  /** Damages the next chunk, whichever side it comes from. */
  damage: ((chunk: Buffer) => void) | null;
};

/** @param target port of the server on 127.0.0.1, or path of its Unix socket. @param port where to listen; 0 = any free port. */
export async function startFaultProxy(target: number | string, port = 0): Promise<FaultProxy> {
  const links = new Set<Link>();
  let allowance: number | null = null;
  let delayMs = 0;
  let refusing = false;
  let cuts = 0;

  const end = (link: Link): void => {
    links.delete(link);
    link.client.destroy();
    link.upstream.destroy();
  };

  /** Bytes keep their order, whatever the delay becomes meanwhile. */
  const carry = (link: Link, receiver: Socket): ((chunk: Buffer) => void) => {
    const waiting: { readonly chunk: Buffer; readonly dueMs: number }[] = [];
    const pass = (): void => {
      for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
        const leftMs = next.dueMs - performance.now();
        if (leftMs > 0) {
          setTimeout(pass, leftMs).unref();
          return;
        }
        waiting.shift();
        if (!link.silent) receiver.write(next.chunk);
      }
    };
    return (chunk) => {
      if (link.silent) return;
      link.damage?.(chunk);
      link.damage = null;
      if (delayMs === 0 && waiting.length === 0) receiver.write(chunk);
      else if (waiting.push({ chunk, dueMs: performance.now() + delayMs }) === 1) pass();
    };
  };

  const server = createServer((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const upstream = typeof target === 'string' ? createConnection(target) : createConnection({ host: '127.0.0.1', port: target });
    const link: Link = { client, upstream, answered: 0, counting: false, silent: false, damage: null };
    links.add(link);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
    }
    client.on('close', () => end(link));
    upstream.on('close', () => {
      if (!link.silent) end(link);
    });
    const toServer = carry(link, upstream);
    const toClient = carry(link, client);
    client.on('data', toServer);
    upstream.on('data', (chunk) => {
      if (allowance === null) {
        link.counting = false;
        toClient(chunk);
        return;
      }
      if (!link.counting) link.answered = 0;
      link.counting = true;
      const left = allowance - link.answered;
      link.answered += chunk.length;
      if (chunk.length <= left) {
        toClient(chunk);
        return;
      }
      cuts++;
      // What may still pass goes out before the end does.
      if (left > 0) client.end(chunk.subarray(0, left), () => end(link));
      else end(link);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  const those = (chosen: Chosen): readonly Link[] => [...links].filter((link) => !link.silent && chosen());
  return {
    port: address.port,
    cutAfter: (bytes) => {
      allowance = bytes;
    },
    cut: (chosen = everyOne) => {
      const hit = those(chosen);
      for (const link of hit) end(link);
      cuts += hit.length;
      return hit.length;
    },
    silence: (serverKeepsMs, chosen = everyOne) => {
      const hit = those(chosen);
      for (const link of hit) {
        link.silent = true;
        setTimeout(() => link.upstream.destroy(), serverKeepsMs).unref();
      }
      return hit.length;
    },
    delay: (ms) => {
      delayMs = ms;
    },
    damage: (random, chosen = everyOne) => {
      const hit = those(chosen);
      for (const link of hit) {
        link.damage = (chunk) => {
          const place = random.below(chunk.length);
          chunk[place] = (chunk[place] ?? 0) ^ (1 << random.below(8));
        };
      }
      return hit.length;
    },
    refuse: (refuses) => {
      refusing = refuses;
    },
    heal: () => {
      allowance = null;
      delayMs = 0;
      refusing = false;
      for (const link of links) link.damage = null;
    },
    cuts: () => cuts,
    connections: () => links.size,
    close: async () => {
      for (const link of links) end(link);
      server.close();
      await once(server, 'close');
    },
  };
}
