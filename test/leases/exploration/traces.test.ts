import { describe, expect, test } from 'vitest';
import { lease_ask } from '../mirror/lease-ask.ts';
import { lease_beat, lease_register } from '../mirror/lease-node.ts';
import { lease_post } from '../mirror/lease-post.ts';
import { createLimit } from '../mirror/limits.ts';
import { emptyDatabase } from '../mirror/tables.ts';
import { counterView } from '../mirror/view.ts';
import { unhealed } from './heal.ts';
import { broken } from './invariants.ts';
import { mutations } from './mutations.ts';
import { parts } from './parts.ts';
import * as play from './play.ts';
import { scopeOf } from './scopes.ts';
import type { World } from './world.ts';

interface Trace {
  readonly name: string;
  readonly holds: readonly bigint[];
  /** Power is cut in it: records are synced by steps of their own. */
  readonly syncs?: boolean;
  readonly script: (acts: play.Play) => void;
  /** What the right protocol comes to, besides the invariants. */
  readonly outcome?: (world: World) => void;
}

/** One step of a script whose message goes astray. */
function astray(acts: play.Play, delivery: play.Delivery, step: () => void): void {
  acts.delivery = delivery;
  acts.used = false;
  step();
  acts.delivery = 'sync';
}

function leaseOf(world: World, node: string, epoch = 1) {
  return world.database.leases.find((row) => row.node === node && row.epoch === epoch);
}

const traces: readonly Trace[] = [
  {
    name: 'trace 1: admit, kill, expire; the call still runs',
    holds: [2n],
    script: (acts) => {
      play.take(acts, 0, 0);
      play.kill(acts, 0);
      play.pass(acts);
    },
    outcome: (world) => expect(leaseOf(world, 'n0')).toMatchObject({ granted: 2n, returned: 0n, closed_at: null }),
  },
  {
    name: 'trace 2: settle, kill, expire; the cost waits in the spool',
    holds: [2n],
    script: (acts) => {
      play.take(acts, 0, 0);
      play.settleCall(acts, 0, 2n);
      play.kill(acts, 0);
      play.pass(acts);
    },
    outcome: (world) => expect(leaseOf(world, 'n0')).toMatchObject({ granted: 2n, returned: 0n }),
  },
  {
    name: 'trace 3: admit, kill, register; the ledger has seen nothing of it',
    holds: [2n],
    script: (acts) => {
      play.take(acts, 0, 0);
      play.kill(acts, 0);
      play.boot(acts, 0);
    },
    outcome: (world) => expect(leaseOf(world, 'n0')).toMatchObject({ granted: 2n, returned: 0n, unproven: 0n }),
  },
  {
    name: 'trace 4: grant, reply lost, ask again',
    holds: [2n],
    script: (acts) => {
      astray(acts, 'answer lost', () => play.take(acts, 0, 0));
      play.take(acts, 0, 0);
    },
    outcome: (world) => expect(leaseOf(world, 'n0')).toMatchObject({ granted: 2n }),
  },
  {
    name: 'trace 5: grant, reply lost, cut off, expire, repeat refused',
    holds: [2n],
    script: (acts) => {
      astray(acts, 'answer lost', () => play.take(acts, 0, 0));
      astray(acts, 'late', () => play.take(acts, 0, 0));
      play.pass(acts);
      play.deliver(acts, 0, false);
    },
    outcome: (world) => {
      const known = [...(play.proxyOf(world, 0).state?.leases.values() ?? [])].map((lease) => lease.granted);
      expect(known).toEqual([2n]);
    },
  },
  {
    name: 'trace 6: a return is delivered twice',
    holds: [2n, 2n],
    script: (acts) => {
      play.take(acts, 0, 0);
      play.settleCall(acts, 0, 1n);
      astray(acts, 'late', () => play.tick(acts, 0, true));
      play.deliver(acts, 0, true);
      play.take(acts, 0, 1);
      play.deliver(acts, 0, false);
    },
    outcome: (world) => expect(leaseOf(world, 'n0')).toMatchObject({ returned: 1n }),
  },
  {
    name: 'trace 7: a late ask of a dead epoch, after register',
    holds: [2n],
    script: (acts) => {
      astray(acts, 'late', () => play.take(acts, 0, 0));
      play.kill(acts, 0);
      play.boot(acts, 0);
      play.deliver(acts, 0, false);
    },
    outcome: (world) => expect(leaseOf(world, 'n0')?.granted ?? 0n).toBe(0n),
  },
  {
    name: 'trace 8: a return while its node is called lost',
    holds: [2n],
    script: (acts) => {
      play.take(acts, 0, 0);
      play.settleCall(acts, 0, 1n);
      play.declareLost(acts, 'n0');
      play.tick(acts, 0, true);
      play.beat(acts, 0);
    },
    outcome: (world) => expect(leaseOf(world, 'n0')).toMatchObject({ returned: 1n }),
  },
  {
    name: 'trace 9: close, then the disk goes before sending; lost covers the closed row',
    holds: [2n],
    script: (acts) => {
      play.take(acts, 0, 0);
      play.settleCall(acts, 0, 1n);
      play.stop(acts, 0);
      play.loseDisk(acts, 0);
      play.declareLost(acts, 'n0');
    },
    outcome: (world) => {
      const [counter] = world.database.budget_counters;
      expect(leaseOf(world, 'n0')?.closed_at).not.toBeNull();
      expect(counter && counterView(world.database, counter)).toMatchObject({ held: 1n, lost: 1n });
    },
  },
  {
    name: 'trace 10: room that an unsynced settlement freed is neither used nor returned, power cut',
    holds: [2n, 1n],
    syncs: true,
    script: (acts) => {
      play.take(acts, 0, 0);
      play.sync(acts, 0);
      play.settleCall(acts, 0, 1n);
      play.tick(acts, 0, true);
      play.take(acts, 0, 1);
      play.cutPower(acts, 0);
      play.pass(acts);
      play.boot(acts, 0);
    },
    outcome: (world) => expect(leaseOf(world, 'n0')).toMatchObject({ granted: 3n, returned: 0n, unproven: 1n }),
  },
  {
    name: 'trace 11: a power cut tears an admission; its room is unproven, not free',
    holds: [2n],
    syncs: true,
    script: (acts) => {
      play.take(acts, 0, 0);
      play.cutPower(acts, 0);
      play.pass(acts);
      play.boot(acts, 0);
    },
    outcome: (world) => expect(leaseOf(world, 'n0')).toMatchObject({ granted: 2n, returned: 0n, unproven: 2n }),
  },
  {
    name: 'trace 12: restore, replay; what is posted is not clamped to the row',
    holds: [2n],
    script: (acts) => {
      play.backUp(acts);
      play.take(acts, 0, 0);
      play.settleCall(acts, 0, 2n);
      play.restore(acts);
      play.post(acts, 0);
    },
    outcome: (world) => expect(world.database.lease_postings.map((row) => row.posted)).toEqual([2n]),
  },
  {
    name: 'trace 13: restored figures are applied for all nodes at once',
    holds: [2n, 4n],
    script: (acts) => {
      play.take(acts, 1, 0);
      play.backUp(acts);
      play.settleCall(acts, 0, 0n);
      play.tick(acts, 1, true);
      play.take(acts, 0, 1);
      play.restore(acts);
      play.beat(acts, 0);
    },
    outcome: (world) => {
      expect(world.database.generation).toMatchObject({ generation: 2, reconciling: true });
      expect(world.database.budget_counters.map((row) => row.committed)).toEqual([2n]);
    },
  },
  {
    name: 'trace 14: a reply from before the restore is dropped',
    holds: [2n],
    script: (acts) => {
      play.backUp(acts);
      astray(acts, 'answer late', () => play.take(acts, 0, 0));
      play.restore(acts);
      for (const node of [0, 1]) play.beat(acts, node);
      play.deliver(acts, 0, false);
    },
    outcome: (world) => expect(play.proxyOf(world, 0).state?.leases.size).toBe(0),
  },
  {
    name: 'trace 15: return, backup, grant, kill, restore, register, late return; the closed row refuses it',
    holds: [1n, 2n],
    script: (acts) => {
      play.take(acts, 0, 0);
      play.settleCall(acts, 0, 0n);
      astray(acts, 'late', () => play.tick(acts, 0, true));
      play.deliver(acts, 0, true);
      play.backUp(acts);
      play.take(acts, 0, 1);
      play.kill(acts, 0);
      play.restore(acts);
      play.boot(acts, 0);
      play.beat(acts, 1);
      play.deliver(acts, 0, false);
    },
    outcome: (world) => expect(leaseOf(world, 'n0')).toMatchObject({ granted: 2n, returned: 0n }),
  },
  {
    name: 'trace 17: a snapshot of a running machine is started after it; what the machine spent since then nobody can prove',
    holds: [1n, 3n, 3n],
    script: (acts) => {
      play.take(acts, 0, 0);
      play.copy(acts, 0);
      play.take(acts, 0, 1);
      play.beat(acts, 0);
      play.loseDisk(acts, 0);
      play.beat(acts, 2);
      play.boot(acts, 2);
      play.take(acts, 1, 2);
    },
    outcome: (world) => {
      expect(leaseOf(world, 'n0')).toMatchObject({ returned: 0n, closed_at: null });
      expect(world.calls[2]?.phase).toBe('new');
    },
  },
  {
    name: 'trace 18: copied while a beat is in flight, which is both theirs; the next one is not',
    holds: [2n],
    script: (acts) => {
      astray(acts, 'late', () => play.beat(acts, 0));
      play.copy(acts, 0);
      for (const node of [0, 2]) play.beat(acts, node);
      expect(acts.world.proxies.map(({ state }) => state?.phase)).toEqual(['running', 'running', 'running']);
      for (const node of [0, 2]) play.beat(acts, node);
    },
    outcome: ({ proxies }) =>
      expect(proxies.map(({ name, state }) => [name, state?.phase])).toEqual([
        ['n0', 'running'],
        ['n1', 'running'],
        ['n5', undefined],
      ]),
  },
];

function played(trace: Trace, with_ = parts): { world: World; broken: string | null } {
  const scope = scopeOf(
    { loose: 9, powerCuts: trace.syncs === true ? 1 : 0 },
    { holds: trace.holds, astray: ['ask', 'return', 'register', 'beat'] },
  );
  const acts = play.playOf(play.newWorld(with_, scope), with_);
  trace.script(acts);
  return { world: acts.world, broken: broken(acts.world) ?? unhealed(acts.world, with_) };
}

describe('the shortest traces of the designs that failed (leases.md §11)', () => {
  for (const trace of traces) {
    test(trace.name, () => {
      const { world, broken: wrong } = played(trace);
      expect(wrong).toBeNull();
      trace.outcome?.(world);
    });
    const mutation = mutations.find(({ name }) => name.startsWith(trace.name.slice(0, trace.name.indexOf(':') + 1)));
    if (mutation === undefined) continue;
    test(`${mutation.name}: what its trace is the proof of`, () => {
      expect(played(trace, { ...parts, ...mutation.change }).broken).toMatch(/^I[1-6]: /);
    });
  }

  test('trace 16: a rolling window gives back by the moment of posting, not by that of the lease', () => {
    const database = emptyDatabase();
    createLimit(database, 'r', 4n, { kind: 'rolling', length_ms: 60_000 });
    lease_register(database, { node: 'n0', epoch: 1, incarnation: 'one', finals: [], torn: [], moved: false });
    lease_beat(database, { node: 'n0', epoch: 1, incarnation: 'one', generation: 1, beat: 0, nonce: 'first', returned: [] });
    const ask = (known: bigint): bigint | undefined => {
      const item = { limit: 'r', group: 'g', counter: known === 0n ? null : 'r/0:0/g', next: false, known, need: 4n, want: 4n };
      return lease_ask(database, { node: 'n0', epoch: 1, generation: 1, items: [item], live: 1, all: false }).items[0]?.granted;
    };
    expect(ask(0n)).toBe(4n);
    database.now = 50_000;
    lease_post(database, [{ counter: 'r/0:0/g', node: 'n0', epoch: 1, debit: 4n, cost: 4n }]);
    database.now = 100_000;
    expect(ask(4n)).toBe(4n);
    database.now = 112_000;
    expect(ask(4n)).toBe(8n);
  });
});
