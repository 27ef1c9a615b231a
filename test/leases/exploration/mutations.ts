import type { LeaseEffect } from '../../../services/proxy/admission/leases/lease-effects.ts';
import type { LeaseInput } from '../../../services/proxy/admission/leases/lease-protocol.ts';
import type { LeaseState } from '../../../services/proxy/admission/leases/lease-state.ts';
import { openOf } from '../../../services/proxy/admission/leases/lease-state.ts';
import { smaller } from '../mirror/amounts.ts';
import { counterRow, move, nodeRow, putCounter, putLease, putNode } from '../mirror/rows.ts';
import type { LeaseDatabase } from '../mirror/tables.ts';
import { posted } from '../mirror/view.ts';
import { type Parts, parts } from './parts.ts';
import { type Scope, scopeOf } from './scopes.ts';
import { nodeName, type World } from './world.ts';

/** A deliberate mistake in one part, and a small scope in which the exploration has to find it. */
export interface Mutation {
  readonly name: string;
  readonly change: Partial<Parts>;
  readonly scope: Scope;
  /** Its shortest trace is too long for a small exploration: `traces.test.ts` walks it. */
  readonly walked?: true;
}

/** The module, told something else, or saying something else. */
function stepped(
  before: (state: LeaseState, input: LeaseInput) => LeaseInput,
  after: (state: LeaseState, effects: LeaseEffect[], input: LeaseInput) => LeaseEffect[] = (_, effects) => effects,
): Pick<Parts, 'step'> {
  return {
    step: (state, input) => {
      const [next, effects] = parts.step(state, before(state, input));
      return [next, after(next, effects, input)];
    },
  };
}

const asIs = (_: LeaseState, input: LeaseInput): LeaseInput => input;

/** Room that time, or somebody who cannot know, gives back. */
function cut(database: LeaseDatabase, counter: string, node: string, epoch: number, room: bigint): void {
  const lease = database.leases.find((row) => row.counter === counter && row.node === node && row.epoch === epoch);
  if (lease === undefined || lease.closed_at !== null) return;
  const freed = lease.granted - lease.returned - room;
  if (freed <= 0n) return;
  putLease(database, { ...lease, returned: lease.granted - room });
  move(database, counter, { kind: 'release', node, epoch, amount: -freed });
}

function silent(database: LeaseDatabase): string[] {
  return database.lease_nodes.filter((row) => database.now - row.seen_at > database.times.node_ttl_ms).map((row) => row.node);
}

function expire(world: World, onlyWhenCallsEnded: boolean): void {
  const { database } = world;
  for (const node of silent(database)) {
    if (onlyWhenCallsEnded && world.calls.some((call) => call.phase === 'running' && nodeName(call.node) === node)) continue;
    for (const { counter, node: owner, epoch } of database.leases.slice()) {
      if (owner === node) cut(database, counter, node, epoch, posted(database, counter, node, epoch));
    }
  }
}

/** A mirror function whose answers do not tell what was granted to whom lost the answer that did. */
const untold: Pick<Parts, 'lease_beat'> = {
  lease_beat: (database, args) => {
    const answer = parts.lease_beat(database, args);
    return { ...answer, leases: answer.leases.map((lease) => ({ ...lease, granted: 0n })) };
  },
};

function grantedOf(database: LeaseDatabase, counter: string | null, node: string, epoch: number): bigint {
  return database.leases.find((row) => row.counter === counter && row.node === node && row.epoch === epoch)?.granted ?? 0n;
}

function isLost(database: LeaseDatabase, node: string): boolean {
  return nodeRow(database, node)?.lost_at !== null;
}

export const mutations: readonly Mutation[] = [
  {
    name: 'trace 17: who finds its name taken starts again under it',
    change: { givesUpName: () => false },
    scope: scopeOf({ copies: 1 }, { holds: [2n] }),
  },
  { name: 'trace 1: expiry releases granted - posted', change: { passed: (world) => expire(world, false) }, scope: scopeOf({ passes: 1 }) },
  {
    name: 'trace 2: expiry releases it once the calls have ended',
    change: { passed: (world) => expire(world, true) },
    scope: scopeOf({ passes: 1 }),
  },
  {
    name: 'trace 3: register closes at what the ledger has seen',
    change: {
      lease_register: (database, args) => {
        const finals = args.finals.map((each) => ({ ...each, final: posted(database, each.counter, args.node, each.epoch) }));
        return parts.lease_register(database, { ...args, finals });
      },
    },
    scope: scopeOf({ kills: 1 }),
  },
  {
    name: 'trace 4: an ask is not conditional on what its node knows',
    change: {
      ...untold,
      lease_ask: (database, args) => {
        const known = args.items.map((item) => ({ ...item, known: grantedOf(database, item.counter, args.node, args.epoch) }));
        const before = args.items.map((item) =>
          grantedOf(database, item.counter ?? `${item.limit}/0:0/${item.group}`, args.node, args.epoch),
        );
        const items = known.map((item, index) => ({ ...item, known: before[index] ?? 0n }));
        const answer = parts.lease_ask(database, { ...args, items });
        return {
          ...answer,
          items: answer.items.map((item, index) => ({
            ...item,
            granted: (args.items[index]?.known ?? 0n) + item.granted - (before[index] ?? 0n),
          })),
        };
      },
    },
    scope: scopeOf({ loose: 1 }),
  },
  {
    name: 'trace 5: no refusal and no beat carries what was granted',
    change: {
      ...untold,
      lease_ask: (database, args) => {
        const answer = parts.lease_ask(database, args);
        const items = answer.items.map((item, index) => {
          const told = answer.status === 'answered' && (item.outcome === 'granted' || item.outcome === 'held');
          return told ? item : { ...item, granted: args.items[index]?.known ?? 0n };
        });
        return { ...answer, items };
      },
    },
    scope: scopeOf({ loose: 1 }),
  },
  {
    name: 'trace 6: a return is a delta, and arrives twice',
    change: {
      lease_return: (database, args) => {
        const items = args.items.map((item) => {
          const row = database.leases.find(
            (lease) => lease.counter === item.counter && lease.node === args.node && lease.epoch === args.epoch,
          );
          return { ...item, returned: row === undefined ? 0n : smaller(row.granted, row.returned + item.returned) };
        });
        return parts.lease_return(database, { ...args, items });
      },
    },
    scope: scopeOf({ loose: 1, duplicates: 1 }),
  },
  {
    name: 'trace 7: a late ask of a dead epoch is granted',
    change: {
      lease_ask: (database, args) => {
        const row = nodeRow(database, args.node);
        if (row === null || row.epoch === args.epoch) return parts.lease_ask(database, args);
        putNode(database, { ...row, epoch: args.epoch });
        const answer = parts.lease_ask(database, args);
        putNode(database, row);
        return answer;
      },
    },
    scope: scopeOf({ loose: 1, kills: 1 }),
  },
  {
    name: 'trace 8: what a node returns while it is called lost is ignored',
    change: {
      lease_return: (database, args) => {
        if (!isLost(database, args.node)) return parts.lease_return(database, args);
        const items = args.items.map((item) => ({ ...item, outcome: 'returned' as const, granted: 0n }));
        return { status: 'answered', generation: database.generation.generation, items };
      },
    },
    scope: scopeOf({ declared: 1 }),
  },
  {
    name: 'trace 10: room that an unsynced settlement freed is used and returned',
    change: stepped(asIs, (state, effects, input) => {
      if (input.kind !== 'settle') return effects;
      for (const lease of state.leases.values()) {
        lease.free += lease.unsynced;
        lease.unsynced = 0n;
      }
      state.unsynced = [];
      return effects;
    }),
    scope: scopeOf({ powerCuts: 1 }),
  },
  {
    name: 'trace 11: a power cut is treated as a kill',
    change: { tornEpochs: () => [], isMoved: () => false },
    scope: scopeOf({ powerCuts: 1 }),
  },
  {
    name: 'trace 12: what is posted is clamped to the row',
    change: {
      lease_post: (database, holds) => {
        const clamped = holds.map((hold) => {
          const row = database.leases.find(
            (lease) => lease.counter === hold.counter && lease.node === hold.node && lease.epoch === hold.epoch,
          );
          const room = row === undefined ? 0n : row.granted - row.returned - posted(database, hold.counter, hold.node, hold.epoch);
          return { ...hold, debit: smaller(hold.debit, room) };
        });
        parts.lease_post(database, clamped);
      },
    },
    scope: scopeOf({ backups: 1, restores: 1 }),
  },
  {
    name: 'trace 13: restored figures are applied node by node',
    change: {
      lease_report: (database, args) => {
        const answer = parts.lease_report(database, args);
        if (answer.status !== 'staged') return answer;
        for (const { counter, granted, returned } of args.leases) {
          const { node, epoch } = args;
          const known = database.leases.find((lease) => lease.counter === counter && lease.node === node && lease.epoch === epoch);
          const row = known ?? { counter, node, epoch, granted: 0n, returned: 0n, unproven: 0n, closed_at: null };
          if (granted <= row.granted || counterRow(database, counter) === null) continue;
          putLease(database, { ...row, granted, returned });
          const amount = granted - returned - row.granted + row.returned;
          move(database, counter, { kind: 'reconcile', node, epoch, amount });
        }
        return answer;
      },
    },
    walked: true,
    scope: scopeOf({ backups: 1, restores: 1 }),
  },
  {
    name: 'trace 14: an answer from before the restore is believed',
    change: stepped((state, input) =>
      input.kind === 'answered' && input.answer !== null ? { ...input, answer: { ...input.answer, generation: state.generation } } : input,
    ),
    scope: scopeOf({ backups: 1, restores: 1, loose: 1 }, { holds: [2n], astray: ['ask'], over: [-1n] }),
  },
  {
    name: 'trace 15: a closed row takes a late return',
    change: {
      lease_return: (database, args) => {
        for (const { counter, returned } of args.items) {
          const row = database.leases.find((lease) => lease.counter === counter && lease.node === args.node && lease.epoch === args.epoch);
          if (row === undefined || row.closed_at === null || returned <= row.returned || returned > row.granted) continue;
          putLease(database, { ...row, returned });
          move(database, counter, { kind: 'return', node: args.node, epoch: args.epoch, amount: row.returned - returned });
        }
        return parts.lease_return(database, args);
      },
    },
    walked: true,
    scope: scopeOf({ backups: 1, restores: 1, kills: 1, loose: 1 }, { holds: [1n, 2n], astray: ['return'], over: [0n] }),
  },
  {
    name: 'the guard ignores what is held',
    change: {
      lease_ask: (database, args) => {
        const held = database.budget_counters.map((row) => row.committed);
        database.budget_counters = database.budget_counters.map((row) => ({ ...row, committed: 0n }));
        const answer = parts.lease_ask(database, args);
        for (const [index, row] of database.budget_counters.slice().entries()) {
          putCounter(database, { ...row, committed: row.committed + (held[index] ?? 0n) });
        }
        return answer;
      },
    },
    scope: scopeOf({}, { holds: [2n, 2n, 2n] }),
  },
  {
    name: 'posting releases the whole hold',
    change: {
      lease_post: (database, holds) => {
        parts.lease_post(database, holds);
        for (const { counter, node, epoch } of holds) cut(database, counter, node, epoch, posted(database, counter, node, epoch));
      },
    },
    scope: scopeOf({}),
  },
  {
    name: 'an overrun is clipped',
    change: {
      lease_post: (database, holds) =>
        parts.lease_post(
          database,
          holds.map((hold) => ({ ...hold, cost: smaller(hold.cost, hold.debit) })),
        ),
    },
    scope: scopeOf({}),
  },
  {
    name: 'an overrun is not reported',
    change: {
      lease_post: (database, holds) => {
        parts.lease_post(database, holds);
        database.counter_totals = database.counter_totals.map((row) => ({ ...row, excess: 0n }));
      },
    },
    scope: scopeOf({}),
  },
  {
    name: 'what a call costs above its hold is not taken from local room',
    change: stepped(asIs, (state, effects) =>
      effects.map((effect) => {
        if (effect.kind !== 'close') return effect;
        const holds = effect.holds.map((hold) => {
          const lease = state.leases.get(hold.counter);
          if (lease === undefined || hold.debit <= hold.hold) return hold;
          lease.spent -= hold.debit - hold.hold;
          lease.free += hold.debit - hold.hold;
          return { ...hold, debit: hold.hold };
        });
        return { ...effect, holds };
      }),
    ),
    scope: scopeOf({}, { holds: [1n, 2n] }),
  },
  { name: 'an entry that is there is posted again', change: { isDuplicate: () => false }, scope: scopeOf({ reposts: 1 }) },
  {
    name: 'a hold is freed while its call runs',
    change: stepped(asIs, (state, effects, input) => {
      if (input.kind !== 'tick') return effects;
      for (const lease of state.leases.values()) lease.free += openOf(lease);
      return effects;
    }),
    scope: scopeOf({}),
  },
  {
    name: 'a request that is refused keeps a part',
    change: stepped(asIs, (state, effects) => {
      for (const { kind } of effects) {
        if (kind !== 'refuse') continue;
        for (const lease of state.leases.values()) lease.free -= 1n;
      }
      return effects;
    }),
    scope: scopeOf({}, { holds: [2n, 2n, 2n], over: [0n] }),
  },
  {
    name: 'idle proxies never return',
    change: stepped((state, input) => {
      for (const lease of state.leases.values()) lease.usedAt = Number.POSITIVE_INFINITY;
      return input;
    }),
    scope: scopeOf({}),
  },
  { name: 'a restart goes on in the same epoch', change: { nextEpoch: (epoch) => Math.max(1, epoch) }, scope: scopeOf({ kills: 1 }) },
  {
    name: 'open records are forgotten at a restart',
    change: { recover: (remains) => parts.recover({ ...remains, open: [] }) },
    scope: scopeOf({ kills: 1 }),
  },
  {
    name: 'a settlement that comes after its lease was closed is dropped',
    change: {
      lease_post: (database, holds) => {
        const closed = (hold: { counter: string; node: string; epoch: number }): boolean =>
          database.leases.some(
            (row) => row.counter === hold.counter && row.node === hold.node && row.epoch === hold.epoch && row.closed_at !== null,
          );
        parts.lease_post(
          database,
          holds.filter((hold) => !closed(hold)),
        );
      },
    },
    scope: scopeOf({ kills: 1 }),
  },
  {
    name: 'a settlement of a lost lease comes on top of what is held',
    change: {
      lease_post: (database, holds) => {
        parts.lease_post(database, holds);
        for (const { counter, node, epoch, debit } of holds) {
          const row = database.leases.find((lease) => lease.counter === counter && lease.node === node && lease.epoch === epoch);
          if (row === undefined || !isLost(database, node)) continue;
          putLease(database, { ...row, granted: row.granted + debit });
          move(database, counter, { kind: 'grant', node, epoch, amount: debit });
        }
      },
    },
    scope: scopeOf({ declared: 1 }),
  },
  {
    name: 'the lease of a node that is called lost is released',
    change: {
      lease_declare_lost: (database, args) => {
        for (const { counter, node, epoch } of database.leases.slice()) {
          if (node === args.node) cut(database, counter, node, epoch, posted(database, counter, node, epoch));
        }
        return parts.lease_declare_lost(database, args);
      },
    },
    scope: scopeOf({ declared: 1 }),
  },
  {
    name: 'a node that is found stays lost',
    change: {
      lease_beat: (database, args) => {
        const before = nodeRow(database, args.node);
        const answer = parts.lease_beat(database, args);
        const row = nodeRow(database, args.node);
        if (row !== null && before !== null) putNode(database, { ...row, lost_at: before.lost_at });
        return answer;
      },
    },
    scope: scopeOf({ declared: 1 }),
  },
  {
    name: 'an owner admits after its fence',
    change: stepped((state, input) => {
      if (state.phase === 'running') state.fenceAt = Number.POSITIVE_INFINITY;
      return input;
    }),
    scope: scopeOf({ takeovers: 1, passes: 1 }, { holds: [1n, 1n], over: [-1n] }),
  },
  {
    name: 'the fence counts from the answer to a beat',
    change: stepped((state, input) => {
      if (input.kind === 'beaten' && state.beating !== null) state.beating = { ...state.beating, sentAt: input.at };
      return input;
    }),
    scope: scopeOf({ waits: 3, loose: 1 }, { holds: [1n], astray: ['beat'], over: [0n] }),
  },
  {
    name: 'a beat that is sent again counts from then',
    change: stepped((state, input) => {
      if (input.kind === 'beat' && state.beating !== null) state.beating = { ...state.beating, sentAt: input.at };
      return input;
    }),
    scope: scopeOf({ waits: 2, loose: 2 }, { holds: [1n], astray: ['beat'], over: [0n] }),
  },
  {
    name: 'a takeover does not wait',
    change: { isMoved: () => false },
    scope: scopeOf({ takeovers: 1 }, { holds: [1n, 1n], over: [-1n] }),
  },
  {
    name: 'a lowered limit cuts leases',
    change: {
      changeAmount: (database, limit, amount) => {
        parts.changeAmount(database, limit, amount);
        for (const { counter, node, epoch } of database.leases.slice())
          cut(database, counter, node, epoch, posted(database, counter, node, epoch));
      },
    },
    scope: scopeOf({ lowered: 1 }),
  },
  {
    name: 'grants resume before all have reported',
    change: {
      lease_report: (database, args) => {
        const answer = parts.lease_report(database, args);
        if (answer.status !== 'staged') return answer;
        database.generation = { ...database.generation, reconciling: false };
        return { ...answer, status: 'resumed' };
      },
    },
    scope: scopeOf({ backups: 1, restores: 1 }),
  },
];
