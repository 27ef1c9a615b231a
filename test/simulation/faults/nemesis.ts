import type { Dice } from '../dice.ts';
import type { Slot } from '../supervisor.ts';
import type { World } from '../world.ts';
import type { FaultName } from './fault-names.ts';

/** Does to a world what its profile names, at random moments, until it is told to let go. */
export interface Nemesis {
  /** Takes every fault back and lets everything live. */
  heal(): void;
}

/** @param load told to be silent for a while. */
export function startNemesis(world: World, silence: (forMs: number) => void): Nemesis {
  const dice = world.dice.fork('nemesis');
  const { scheduler, counts, profile } = world;
  const acts = createActs(world, dice, silence);
  let healed = false;

  function strikeLater(): void {
    scheduler.after(dice.between(0, 2 * profile.faultEveryMs), 'nemesis', () => {
      if (healed) return;
      const name = dice.pick(profile.faults);
      // Told by those who do it more often than it is tried.
      if (acts[name]() !== false) counts.add(name);
      strikeLater();
    });
  }

  if (profile.faults.length > 0) strikeLater();
  return {
    heal() {
      healed = true;
      const { network, databaseFaults, server, eventLog } = world;
      network.heal();
      databaseFaults.heal();
      if (!server.running) server.start();
      for (const slot of [...world.proxies, ...world.ledgers, ...world.apis]) {
        slot.spare();
        calmDisk(slot);
      }
      if (eventLog.kafka === null) return;
      const { cluster } = eventLog.kafka;
      for (let broker = 0; broker < cluster.brokers; broker++) cluster.start(broker);
      for (let partition = 0; partition < cluster.topic.partitions; partition++)
        if (cluster.leaderOf(partition) === null) cluster.elect(partition);
    },
  };
}

function calmDisk({ machine }: Slot<unknown>): void {
  Object.assign(machine.disk, { faults: 0, lies: 0, full: false });
  machine.slowMs = 0;
}

/** What each fault does. False: it did not apply to this world at this moment. */
function createActs(world: World, dice: Dice, silence: (forMs: number) => void): Readonly<Record<FaultName, () => unknown>> {
  const { scheduler, network, databaseFaults, server, eventLog, foreign } = world;
  const proxy = (): Slot<unknown> => dice.pick(world.proxies);
  const ledger = (): Slot<unknown> => dice.pick(world.ledgers);
  const api = (): Slot<unknown> => dice.pick(world.apis);
  /** A disk that can be made to fail: a proxy's, or that of the ledger that keeps the embedded log. */
  const disk = (): Slot<unknown> => (eventLog.kafka === null && dice.chance(0.4) ? ledger() : proxy());
  const later = (leastMs: number, mostMs: number, act: () => void): void => {
    scheduler.after(dice.between(leastMs, mostMs), 'nemesis relents', act);
  };
  const freeze = (slot: Slot<unknown>, mostMs: number): void => slot.life?.freeze(scheduler.now() + dice.between(50, mostMs));
  const withDisk = (set: (slot: Slot<unknown>) => void): void => {
    const slot = disk();
    set(slot);
    later(50, 6_000, () => calmDisk(slot));
  };
  const withNetwork = (kind: 'drop' | 'cutAfterAccept' | 'late', most: number): void => {
    network.faults[kind] = dice.between(0.02, most);
    later(200, 10_000, () => {
      network.faults[kind] = 0;
    });
  };
  const withDatabase = (kinds: readonly (keyof typeof databaseFaults.chances)[], most: number): void => {
    for (const kind of kinds) databaseFaults.chances[kind] = dice.between(0.005, most);
    later(200, 10_000, () => {
      for (const kind of kinds) databaseFaults.chances[kind] = 0;
    });
  };
  const downDatabase = (stop: () => void): boolean => {
    if (!server.running) return false;
    stop();
    later(20, 12_000, () => {
      if (!server.running) server.start();
    });
    return true;
  };

  return {
    'proxy: killed': () => proxy().kill(),
    'proxy: killed at a call': () => proxy().killAfter(1 + dice.below(80)),
    'proxy: power cut': () => proxy().cutPower(),
    'proxy: frozen': () => freeze(proxy(), 8_000),
    'proxy: stopped': () => proxy().stop(),
    'ledger: killed': () => ledger().kill(),
    'ledger: killed at a call': () => ledger().killAfter(1 + dice.below(120)),
    'ledger: power cut': () => ledger().cutPower(),
    'ledger: frozen': () => freeze(ledger(), 30_000),
    'ledger: stopped': () => ledger().stop(),
    'api: killed': () => api().kill(),
    'api: killed at a call': () => api().killAfter(1 + dice.below(40)),
    'api: frozen': () => freeze(api(), 10_000),
    'subscriber: disconnected': () => dice.pick(world.subscribers).disconnect(),
    'disk: failing': () =>
      withDisk(({ machine }) => {
        machine.disk.faults = dice.between(0.05, 0.6);
      }),
    'disk: full': () =>
      withDisk(({ machine }) => {
        machine.disk.full = true;
      }),
    // Only of a proxy: a ledger whose log is lost behind a lie stands before a gap, which is a person's to mend.
    'disk: lying': () => {
      const slot = proxy();
      slot.machine.disk.lies = dice.between(0.1, 1);
      later(50, 4_000, () => calmDisk(slot));
    },
    'disk: slow': () =>
      withDisk(({ machine }) => {
        machine.slowMs = dice.between(20, 1_500);
      }),
    'clock: jump': () =>
      dice.pick([...world.proxies, ...world.ledgers]).machine.clock.jump(dice.pick([-1, 1]) * dice.pick([1_000, 60_000, 7_200_000])),
    'network: drops': () => withNetwork('drop', 0.5),
    'network: cuts after accept': () => withNetwork('cutAfterAccept', 0.5),
    'network: delays beyond the answer': () => withNetwork('late', 0.3),
    'network: slow': () => {
      network.faults.delayMs = dice.between(5, 800);
      later(200, 10_000, () => {
        network.faults.delayMs = 0;
      });
    },
    'network: machine cut off': () => {
      const { name } = dice.pick([...world.proxies, ...(eventLog.kafka === null ? [] : world.ledgers)]).machine;
      network.cutOff.add(name);
      later(100, 25_000, () => network.cutOff.delete(name));
    },
    'broker: stopped': () => {
      const cluster = eventLog.kafka?.cluster;
      if (cluster === undefined) return false;
      const broker = dice.below(cluster.brokers);
      cluster.stop(broker);
      later(100, 15_000, () => cluster.start(broker));
      return true;
    },
    'broker: leader lost': () => {
      const cluster = eventLog.kafka?.cluster;
      if (cluster === undefined) return false;
      const partition = dice.below(cluster.topic.partitions);
      cluster.unlead(partition);
      later(20, 4_000, () => cluster.elect(partition));
      return true;
    },
    'broker: rebalances': () => {
      const group = eventLog.kafka?.group;
      if (group === undefined) return false;
      let atMs = 0;
      for (let count = 1 + dice.below(12); count > 0; count--) {
        atMs += dice.between(100, 3_000);
        scheduler.after(atMs, 'nemesis rebalances', group.rebalance);
      }
      return true;
    },
    'database: restart': () => downDatabase(server.stop),
    'database: failover': () => downDatabase(server.failOver),
    'database: answers lost': () => withDatabase(['answer_lost'], 0.15),
    'database: connections cut': () => withDatabase(['connection_lost', 'cut'], 0.1),
    'database: serialization failures': () => withDatabase(['serialization_failure'], 0.3),
    'database: slow': () => {
      databaseFaults.slowMs = dice.between(10, 3_000);
      later(200, 8_000, () => {
        databaseFaults.slowMs = 0;
      });
    },
    'log: foreign duplicate': () => foreign.duplicate(),
    'log: foreign garbage': () => foreign.garbage(),
    'log: id used again': () => foreign.reuse(),
    'load: silence': () => silence(dice.pick([2_000, 30_000, 600_000])),
  };
}
