import type { Timers } from '../../eventlog/timers.ts';
import type { Log } from '../../runtime/log.ts';
import type { LeaseEffect, RefusalCode, SettledHold } from '../admission/leases/lease-effects.ts';
import { forgetSlots } from '../admission/leases/lease-ends.ts';
import type { LeaseInput } from '../admission/leases/lease-protocol.ts';
import { step } from '../admission/leases/lease-protocol.ts';
import type { Hold, HoldCosts, HoldWanted, LeaseFinal } from '../admission/leases/lease-state.ts';
import { createLeaseState, hasSlot, leaseTimes, slotOf } from '../admission/leases/lease-state.ts';
import type { LimitStanding } from '../rate-limits/limit-standing.ts';
import { standingOf } from '../rate-limits/limit-standing.ts';
import { createLeaseAsking } from './lease-asking.ts';
import { createLeaseClosing } from './lease-closing.ts';
import type { CounterPlace, LeaseDatabase } from './lease-database.ts';
import { createLeaseReach } from './lease-reach.ts';
import type { SeenLimit } from './seen-limits.ts';
import { createSeenLimits } from './seen-limits.ts';
import { createOpenHoldsTeller } from './tell-open-holds.ts';

export interface LeaseNodeOptions {
  /** uuid of the proxy. */
  readonly node: string;
  readonly epoch: number;
  readonly incarnation: string;
  /** What the spool says of the epochs before, read when the node begins. */
  readonly finals: () => readonly LeaseFinal[];
  readonly torn: () => readonly number[];
  /** Final sums of this epoch that the database was told, for one that is restored from before. */
  readonly closed: () => readonly LeaseFinal[];
  readonly onClosed: (counters: readonly string[]) => void;
  /** Another machine, or another boot of this one, may still run the owner before. */
  readonly moved: boolean;
  readonly database: LeaseDatabase;
  /** Milliseconds that only grow, through suspension too. */
  readonly now: () => number;
  readonly timers: Timers;
  /** Names one beat. */
  readonly newNonce: () => string;
  /** Takes the epoch after this one on the disk. */
  readonly claimNextEpoch: () => Promise<number>;
  readonly log: Log;
  /** How long a request waits at most for an ask. */
  readonly leaseWaitMs: number;
  /** Somebody else has the spool: the process must end. */
  readonly onExit: (cause: 'superseded' | 'copied') => void;
}

/** Why a request was refused, with what was seen of the limit. */
export interface LeaseRefusal {
  readonly code: RefusalCode;
  readonly retryAfterSeconds: number;
  readonly limit: string | null;
  /** Of the limit; null where no answer of the database told. */
  readonly seen: SeenLimit | null;
}

/** Told once, in the same turn or within the wait for an ask. `holds` are in the order of what was wanted. */
export type OnTaken = (holds: readonly Pick<Hold, 'counter'>[] | null, refusal: LeaseRefusal | null) => void;

/** The leases of this process, and its word with the database about them. */
export interface LeaseNode {
  /**
   * Registers and beats from now on; before, everything is refused. Resolves once something can be leased, or at the deadline: a database that is
   * away keeps no process from starting.
   */
  begin(deadlineMs: number): Promise<void>;
  take(requestId: string, wanted: readonly HoldWanted[], onTaken: OnTaken): void;
  /** Ends the holds of a request. A counter without a cost is debited its hold. @returns what to write, and its number. */
  settle(requestId: string, costs: HoldCosts): { readonly holds: readonly SettledHold[]; readonly settlement: number };
  /** The records of all settlements up to this one are durable. */
  synced(settlement: number): void;
  /** How a limit stands for a group; null where nothing was asked for in its window. */
  standing(limit: string, group: string): LimitStanding | null;
  /** Why nothing can be leased at the moment, for a person; null while it can. */
  trouble(): string | null;
  /** Gives back all that is free and closes its leases, once the last request is settled; gives up at the deadline, for the next start to do it. */
  stop(deadlineMs: number): Promise<void>;
}

const BEAT_MS = 1_000;
const TICK_MS = 50;
/** Groups of one limit in one process; beyond it a group that is new here is refused, of this limit alone. */
const MOST_GROUPS = 20_000;
/** Leases that are looked through in a millisecond's worth of work: with more the ticks come more seldom. */
const LEASES_A_MS = 100;

interface Waiting {
  readonly wanted: readonly HoldWanted[];
  readonly onTaken: OnTaken;
}

/** There may be room, but nobody can say so. */
const UNPROVEN: LeaseRefusal = { code: 'accounting_unavailable', retryAfterSeconds: 1, limit: null, seen: null };

/** Runs the pure protocol: what it wants is done against the database, and every answer goes back into it. */
export function createLeaseNode(options: LeaseNodeOptions): LeaseNode {
  const { database, now, timers, log } = options;
  const { node, epoch, incarnation, moved } = options;
  const times = { ...leaseTimes, leaseWaitMs: options.leaseWaitMs };
  let state = createLeaseState({ node, epoch, incarnation, finals: [], torn: [], moved, times });
  const waiting = new Map<string, Waiting>();
  const places = new Map<string, CounterPlace>();
  const seen = createSeenLimits();
  const reach = createLeaseReach({ now, log });
  /** By counter: what could be granted to somebody at the last answer, less what was returned here by then. */
  const ungranted = new Map<string, bigint>();
  const cancels = new Set<() => void>();
  let groups = new Map<string, number>();
  let began = false;
  let ended = false;
  let beating = false;
  let reporting = false;
  let whenReady: () => void = () => {};
  let whenStopped: () => void = () => {};

  const feed = (input: LeaseInput): void => {
    const [next, effects] = step(state, input);
    state = next;
    for (const effect of effects) run(effect);
    if (state.phase === 'stopped') whenStopped();
  };

  const later = (delayMs: number, act: () => void): void => {
    if (ended) return;
    const cancel = timers.after(delayMs, () => {
      cancels.delete(cancel);
      if (ended) return;
      try {
        act();
      } catch (error) {
        fault(error);
      }
    });
    cancels.add(cancel);
  };

  const refuseWaiting = (): void => {
    const all = [...waiting.values()];
    waiting.clear();
    for (const { onTaken } of all) onTaken(null, UNPROVEN);
  };

  const fault = (error: unknown): void => log.error({ error }, 'a fault of the gateway while leasing');

  const closing = createLeaseClosing({
    database,
    epoch,
    now,
    onClosed: (counters) => {
      reach.answered();
      for (const counter of counters) {
        places.delete(counter);
        ungranted.delete(counter);
      }
      options.onClosed(counters);
    },
    onFailed: (error) => void reach.failed(error, 'close'),
    onFault: fault,
  });

  const tellOpen = createOpenHoldsTeller({
    database,
    epoch,
    onFailed: (error) => void reach.failed(error, 'open holds'),
    onFault: fault,
  });

  const run = (effect: LeaseEffect): void => {
    switch (effect.kind) {
      case 'open':
        told(effect.request, ({ onTaken }) => onTaken(effect.holds, null));
        break;
      case 'refuse':
        told(effect.request, ({ wanted, onTaken }) => {
          const { code, retryAfterSeconds, limit } = effect;
          const group = wanted.find((each) => each.limit === limit)?.group ?? '';
          onTaken(null, { code, retryAfterSeconds, limit, seen: limit === null ? null : seen.of(limit, group) });
        });
        break;
      case 'ask':
        ask(effect);
        break;
      case 'return':
        giveBack(effect);
        break;
      case 'beat':
        beat(effect);
        break;
      case 'register':
        later(effect.afterMs, () => register(effect));
        break;
      case 'report':
        report(effect);
        break;
      case 'exit':
        ended = true;
        refuseWaiting();
        options.onExit(effect.cause);
        break;
      case 'raise':
      case 'close':
        // Answers to calls, which read them there.
        break;
      default:
        effect satisfies never;
    }
  };

  const told = (requestId: string, tell: (waiter: Waiting) => void): void => {
    const waiter = waiting.get(requestId);
    waiting.delete(requestId);
    if (waiter !== undefined) tell(waiter);
  };

  const ask = createLeaseAsking({
    ask: database.ask,
    reach,
    timers,
    isRunning: () => state.phase === 'running',
    onAnswered: ({ ask: number, sentAt }, answer) => {
      for (const item of answer?.items ?? []) {
        seen.learn(item);
        if (item.counter === null) continue;
        if (item.place !== null) places.set(item.counter, item.place);
        if (item.rest !== null) ungranted.set(item.counter, item.rest - (state.leases.get(item.counter)?.returned ?? 0n));
      }
      feed({ kind: 'answered', ask: number, sentAt, answer, at: now() });
    },
    onFault: fault,
  });

  const giveBack = (effect: LeaseEffect & { readonly kind: 'return' }): void => {
    // One that fails is repeated by the next beats, since sums only grow.
    database
      .giveBack(effect)
      .then(
        (answer) => {
          reach.answered();
          feed({ kind: 'returned', ...answer });
        },
        (error: unknown) => void reach.failed(error, 'return'),
      )
      .catch(fault);
  };

  const beat = (effect: LeaseEffect & { readonly kind: 'beat' }): void => {
    if (beating) return;
    beating = true;
    database
      .beat(effect)
      .finally(() => {
        beating = false;
      })
      .then(
        (answer) => {
          reach.answered();
          // Of a beat that a stop has overtaken: the younger epoch is the one that it names itself.
          if (answer.status === 'copied' && state.phase !== 'running') return;
          const leases = answer.leases.filter(({ counter }) => !closing.isClosed(counter));
          feed({ kind: 'beaten', answer: { ...answer, leases }, at: now() });
          // Behind a beat, so that it is told once a second at the most.
          tellOpen(state);
          whenReady();
        },
        (error: unknown) => void reach.failed(error, 'beat'),
      )
      .catch(fault);
  };

  const register = (effect: LeaseEffect & { readonly kind: 'register' }): void => {
    database
      .register(effect)
      .then(
        (answer) => {
          reach.answered();
          feed({ kind: 'registered', answer });
          if (state.phase === 'running' && state.beats === 0) sendBeat();
        },
        (error: unknown) => later(reach.failed(error, 'register'), () => register(effect)),
      )
      .catch(fault);
  };

  const report = (effect: LeaseEffect & { readonly kind: 'report' }): void => {
    if (reporting) return;
    reporting = true;
    const closed = options.closed().map((final) => ({ ...final, granted: 0n, returned: 0n }));
    database
      .report({ ...effect, leases: [...effect.leases, ...closed] }, places)
      .finally(() => {
        reporting = false;
      })
      .then(
        (answer) => {
          reach.answered();
          feed({ kind: 'reported', answer });
        },
        (error: unknown) => void reach.failed(error, 'report'),
      )
      .catch(fault);
  };

  const sendBeat = (): void => feed({ kind: 'beat', nonce: options.newNonce(), at: now() });

  const isRoomFor = ({ limit, group }: HoldWanted): boolean => {
    // Without groups a limit has one slot, which is not worth looking for.
    if (group === '' || hasSlot(state, limit, group)) return true;
    const known = groups.get(limit) ?? 0;
    groups.set(limit, known + 1);
    return known < MOST_GROUPS;
  };

  const beatOn = (): void => {
    if (state.phase === 'running') {
      sendBeat();
      closing.closeOver(state);
    }
    groups = forgetSlots(state, now());
    later(BEAT_MS, beatOn);
  };

  const tickOn = (): void => {
    if (state.slots.size > 0 || state.leases.size > 0) feed({ kind: 'tick', at: now() });
    later(Math.max(TICK_MS, state.leases.size / LEASES_A_MS), tickOn);
  };

  const begin = async (deadlineMs: number): Promise<void> => {
    began = true;
    state = createLeaseState({ node, epoch, incarnation, finals: options.finals(), torn: options.torn(), moved, times });
    const ready = new Promise<void>((resolve) => {
      whenReady = resolve;
      later(deadlineMs, resolve);
    });
    feed({ kind: 'boot' });
    later(BEAT_MS, beatOn);
    later(TICK_MS, tickOn);
    await ready;
  };

  return {
    begin,
    take: (requestId, wanted, onTaken) => {
      // Whose leases another has taken over, the protocol does not answer any more.
      if (ended || !wanted.every(isRoomFor)) return onTaken(null, UNPROVEN);
      const [next, effects] = step(state, { kind: 'take', request: requestId, holds: wanted, at: now() });
      state = next;
      const [opened] = effects;
      // Nearly every request is let through in this turn, and never waits.
      if (opened?.kind === 'open') onTaken(opened.holds, null);
      else waiting.set(requestId, { wanted, onTaken });
      for (const effect of effects) if (effect !== opened || effect.kind !== 'open') run(effect);
    },
    settle: (requestId, costs) => {
      const [next, effects] = step(state, { kind: 'settle', request: requestId, costs, at: now() });
      state = next;
      const closed = effects.find((effect) => effect.kind === 'close');
      for (const effect of effects) run(effect);
      return closed ?? { holds: [], settlement: 0 };
    },
    synced: (settlement) => feed({ kind: 'synced', settlement }),
    standing: (limit, group) => {
      const lease = hasSlot(state, limit, group) ? slotOf(state, limit, group).lease : null;
      return lease === null ? null : standingOf(lease, ungranted.get(lease.counter) ?? 0n, now());
    },
    trouble: () => {
      if (!began) return null;
      if (state.phase === 'registering') return 'not registered with the database yet';
      if (now() >= state.fenceAt) return 'the database has not acknowledged a beat for 240 s: enforced budgets refuse';
      return null;
    },
    stop: async (deadlineMs) => {
      if (began && !ended && state.phase === 'running') {
        const stopped = new Promise<void>((resolve) => {
          whenStopped = resolve;
          later(deadlineMs, resolve);
        });
        // Before it is told to the database, nobody else may ever have that epoch.
        const claimed = await options.claimNextEpoch().then(
          () => true,
          (error: unknown) => {
            log.warn({ error }, 'the leases stay open until the next start');
            return false;
          },
        );
        if (claimed) {
          feed({ kind: 'stop', at: now() });
          await stopped;
        }
      }
      ended = true;
      refuseWaiting();
      for (const cancel of cancels) cancel();
      cancels.clear();
    },
  };
}
