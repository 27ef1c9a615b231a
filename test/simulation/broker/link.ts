import { Duplex } from 'node:stream';
import type { Dice } from '../dice.ts';
import type { Counts } from '../faults/counts.ts';
import type { Network } from '../faults/network.ts';
import type { Life } from '../life.ts';
import type { Scheduler } from '../scheduler.ts';

export interface LinkOptions {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly network: Network;
  readonly counts: Counts;
  readonly client: Life;
  readonly clientMachine: string;
  readonly server: Life;
}

/** A connection between two processes: bytes arrive in order or not at all, and it may be cut at any of them. */
export function createLink(options: LinkOptions): { readonly client: Duplex; readonly server: Duplex } {
  const { scheduler, dice, network, counts } = options;
  let cut = false;
  const ends: { readonly client: Duplex; readonly server: Duplex } = {
    client: end(options.client, options.server, () => ends.server),
    server: end(options.server, options.client, () => ends.client),
  };

  /** Both sides notice, each in its own time. */
  function cutNow(why: string): void {
    if (cut) return;
    cut = true;
    counts.add(`network: link ${why}`);
    for (const [life, socket] of [
      [options.client, ends.client],
      [options.server, ends.server],
    ] as const) {
      scheduler.after(network.latencyMs(), `${life.name} link cut`, () => life.run('link cut', () => void socket.destroy()));
    }
  }

  function end(from: Life, to: Life, peer: () => Duplex): Duplex {
    let arrivesAt = 0;
    const socket = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        done();
        if (cut || !from.alive) return;
        from.pass('link.write');
        if (network.cutOff.has(options.clientMachine) || dice.chance(network.faults.drop)) {
          cutNow('cut before delivery');
          return;
        }
        const cutsAfter = dice.chance(network.faults.cutAfterAccept);
        arrivesAt = Math.max(arrivesAt, scheduler.now() + network.latencyMs());
        scheduler.afterInOrder(arrivesAt - scheduler.now(), `${to.name} link data`, () => {
          to.run('link data', () => {
            if (!peer().destroyed) peer().push(chunk);
          });
          if (cutsAfter) cutNow('cut after delivery');
        });
      },
      final(done) {
        done();
        if (from.alive)
          scheduler.afterInOrder(arrivesAt - scheduler.now(), `${to.name} link end`, () =>
            to.run('link end', () => void peer().push(null)),
          );
      },
      destroy(error, done) {
        if (from.alive) cutNow('closed');
        done(error);
      },
    });
    socket.on('error', () => {});
    return socket;
  }

  for (const life of [options.client, options.server]) life.whenDead(() => cutNow('lost its process'));
  return ends;
}
