import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../../services/runtime/random.ts';
import type { Fault } from './plan-faults.ts';
import type { World } from './world.ts';

/** What became of a fault. */
export type Inflicted = {
  /** Connections it hit; null where it is not about connections. */
  readonly hit: number | null;
  /** Why it could not be done, where it could not. */
  readonly skipped: string | null;
};

/** How long a server keeps a connection whose client does not answer any more: what `tcp_keepalives_*` or a load balancer give it. */
const serverKeepsMs = 20_000;
const upMs = 180_000;
const done: Inflicted = { hit: null, skipped: null };

/** What two faults must not do to at the same time: each undoes itself. */
export function targetOf(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
    case 'freeze':
      return `${fault.process} ${fault.number}`;
    case 'clock':
      return `clock of ${fault.process} ${fault.number}`;
    case 'broker':
    case 'postgres':
    case 'disk full':
      return fault.kind;
    default:
      return `link to ${fault.link}`;
  }
}

/** Does it and undoes it: resolves when it is over, a killed process and a stopped server being up again. */
export async function inflict(world: World, fault: Fault, random: Random & { below(limit: number): number }): Promise<Inflicted> {
  switch (fault.kind) {
    case 'kill':
      await child(world, fault).kill();
      return done;
    case 'freeze': {
      const frozen = child(world, fault);
      await frozen.up(upMs);
      frozen.signal('SIGSTOP');
      await wait(fault.forMs);
      frozen.signal('SIGCONT');
      return done;
    }
    case 'clock': {
      const { name } = child(world, fault);
      await world.shiftClock(name, fault.byMs);
      await wait(fault.forMs);
      await world.shiftClock(name, 0);
      return done;
    }
    case 'broker': {
      const { broker } = world;
      await { stop: broker.stop, kill: broker.kill, freeze: broker.freeze }[fault.deed]();
      await wait(fault.forMs);
      await (fault.deed === 'freeze' ? broker.thaw() : broker.start());
      return done;
    }
    case 'postgres': {
      const { postgres } = world;
      if (fault.deed === 'freeze') {
        if (process.platform !== 'linux') return { hit: null, skipped: 'the sessions of a server are found in /proc' };
        await postgres.signalAll('SIGSTOP');
        await wait(fault.forMs);
        await postgres.signalAll('SIGCONT');
        return done;
      }
      await postgres.stopImmediately();
      await wait(fault.forMs);
      await postgres.start();
      return done;
    }
    case 'disk full': {
      const { disk } = world;
      if ('blocked' in disk) return { hit: null, skipped: disk.blocked };
      await disk.fill();
      await wait(fault.forMs);
      await disk.empty();
      return done;
    }
    case 'cut':
      return { hit: world.links[fault.link].cut(() => random.fraction() < 0.6), skipped: null };
    case 'half-open':
      return { hit: world.links[fault.link].silence(serverKeepsMs, () => random.fraction() < 0.6), skipped: null };
    case 'damage':
      return { hit: world.links[fault.link].damage(random, () => random.fraction() < 0.6), skipped: null };
    case 'delay': {
      const link = world.links[fault.link];
      link.delay(fault.byMs);
      await wait(fault.forMs);
      link.delay(0);
      return done;
    }
    case 'unreachable': {
      const link = world.links[fault.link];
      link.refuse(true);
      const hit = link.cut();
      await wait(fault.forMs);
      link.refuse(false);
      return { hit, skipped: null };
    }
  }
}

function child(world: World, { process, number }: { readonly process: 'proxy' | 'ledger' | 'api'; readonly number: number }) {
  const found = world.children[process][number - 1];
  if (found === undefined) throw new Error(`there is no ${process} ${number}`);
  return found;
}
