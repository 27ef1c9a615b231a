import { setTimeout as wait } from 'node:timers/promises';
import type { seededRandom } from '../../harness/seeded-random.ts';
import type { Child } from '../child.ts';
import type { BudgetWorld } from './budget-world.ts';

/** What goes wrong while a dollar is spent. */
export type BudgetFaults = {
  /** Resolves once each kind of fault has begun. */
  readonly all: Promise<void>;
  /** No further one begins. @returns what was done, once all of it is undone that can be, and the nodes whose disks are lost. */
  readonly end: () => Promise<{
    readonly faults: readonly string[];
    readonly lostNodes: readonly string[];
    readonly problems: readonly string[];
  }>;
};

type Dice = ReturnType<typeof seededRandom>;
type Deed = { readonly name: string; readonly targets: readonly string[]; readonly act: () => Promise<void> };

const quietMs = 250;

const lanes = 3;

/** Three at a time, never two on the same target; each kind comes once before any a second time. */
export function harm(world: BudgetWorld, options: { readonly random: Dice; readonly onProgress: (line: string) => void }): BudgetFaults {
  const { random } = options;
  const faults: string[] = [];
  const lostNodes: string[] = [];
  const problems: string[] = [];
  const busy = new Set<string>();
  const ended = new AbortController();
  const kinds = kindsOf(world, (node) => lostNodes.push(node));
  let deck = [...kinds];
  let whenAll: () => void = () => {};
  const all = new Promise<void>((resolve) => {
    whenAll = resolve;
  });

  /** Null where its target has another fault just now: it stays in the deck. */
  const next = (): Deed | null => {
    const place = random.below(deck.length);
    const deed = deck[place]?.(random) ?? null;
    if (deed === null || deed.targets.some((target) => busy.has(target))) return null;
    deck.splice(place, 1);
    if (deck.length > 0) return deed;
    deck = [...kinds];
    whenAll();
    return deed;
  };
  const lane = async (): Promise<void> => {
    for (;;) {
      await wait(quietMs + random.below(quietMs), null, { signal: ended.signal }).catch(() => {});
      if (ended.signal.aborted) return;
      const deed = next();
      if (deed === null) continue;
      const { name, targets, act } = deed;
      for (const target of targets) busy.add(target);
      options.onProgress(`    ${name}`);
      faults.push(name);
      await act().catch((error: unknown) => problems.push(`${name} could not be done or undone: ${String(error)}`));
      for (const target of targets) busy.delete(target);
    }
  };
  const running = Promise.all(Array.from({ length: lanes }, lane));
  return {
    all,
    end: async () => {
      ended.abort();
      await running;
      return { faults, lostNodes, problems };
    },
  };
}

function kindsOf(world: BudgetWorld, onLost: (node: string) => void): readonly ((dice: Dice) => Deed)[] {
  const { proxies, ledger, postgres } = world;
  const some = (dice: Dice): Child => {
    const child = proxies[dice.below(proxies.length)];
    if (child === undefined) throw new Error('there is no proxy');
    return child;
  };
  const kill = (child: Child): Deed => ({ name: `SIGKILL of ${child.name}`, targets: [child.name], act: () => child.kill() });
  const freeze = (child: Child, forMs: number): Deed => ({
    name: `SIGSTOP of ${child.name} for ${forMs} ms`,
    targets: [child.name],
    act: async () => {
      child.signal('SIGSTOP');
      await wait(forMs);
      child.signal('SIGCONT');
    },
  });
  const killFrozen = (child: Child, afterMs: number): Deed => ({
    name: `SIGSTOP of ${child.name} and SIGKILL ${afterMs} ms later`,
    targets: [child.name],
    act: async () => {
      child.signal('SIGSTOP');
      await wait(afterMs);
      await child.kill();
    },
  });
  const loseDisk = (child: Child): Deed => ({
    name: `SIGKILL of ${child.name} and its disk`,
    targets: [child.name],
    act: async () => onLost(await world.loseDisk(child)),
  });
  const restart = (awayMs: number): Deed => ({
    name: `PostgreSQL away for ${awayMs} ms`,
    targets: ['PostgreSQL'],
    act: async () => {
      await postgres.stopImmediately();
      await wait(awayMs);
      await postgres.start();
    },
  });
  const killAll = (): Deed => ({
    name: 'SIGKILL of every proxy',
    targets: proxies.map(({ name }) => name),
    act: async () => {
      await Promise.all(proxies.map((proxy) => proxy.kill()));
    },
  });
  return [
    (dice) => loseDisk(some(dice)),
    (dice) => freeze(some(dice), 200 + dice.below(4_000)),
    (dice) => killFrozen(some(dice), 200 + dice.below(2_000)),
    (dice) => restart(100 + dice.below(1_000)),
    () => kill(ledger),
    killAll,
  ];
}
