import { exit } from './lease-beats.ts';
import type { LeaseEffect } from './lease-effects.ts';
import { returnFree } from './lease-returns.ts';
import type { LeaseFinal, LeaseState } from './lease-state.ts';

/** What a spool says of the epochs before this one: sums of debits, and records that were opened and never closed. */
export interface SpoolRemains {
  readonly spent: readonly { readonly counter: string; readonly epoch: number; readonly spent: bigint }[];
  readonly open: readonly {
    readonly request: string;
    readonly epoch: number;
    readonly holds: readonly { readonly counter: string; readonly amount: bigint }[];
  }[];
}

/** An open record of a dead epoch: its call may have been made, so its whole hold is spent (`debit = cost = hold`). */
export interface Orphan {
  readonly request: string;
  readonly epoch: number;
  readonly holds: readonly { readonly counter: string; readonly amount: bigint }[];
}

/** The final sums of a dead process, and the orphans that are in them. What the ledger has seen has no say in it (trace 3). */
export function recover({ spent, open }: SpoolRemains): { finals: LeaseFinal[]; orphans: Orphan[] } {
  const sums = new Map<string, LeaseFinal>();
  const add = (counter: string, epoch: number, amount: bigint): void => {
    const key = `${epoch} ${counter}`;
    sums.set(key, { counter, epoch, final: (sums.get(key)?.final ?? 0n) + amount });
  };
  for (const each of spent) add(each.counter, each.epoch, each.spent);
  for (const record of open) for (const { counter, amount } of record.holds) add(counter, record.epoch, amount);
  return { finals: [...sums.values()], orphans: open.map(({ request, epoch, holds }) => ({ request, epoch, holds })) };
}

/** The first thing a process does, and what it does again after `wait`: nothing is asked before it is registered. */
export function register(state: LeaseState, afterMs: number): LeaseEffect[] {
  const { epoch, finals, torn, moved } = state;
  return [{ kind: 'register', epoch, finals, torn, moved, afterMs }];
}

export interface RegisterAnswer {
  readonly status: 'registered' | 'wait' | 'superseded';
  readonly generation: number;
  readonly reconciling: boolean;
  readonly waitMs: number;
}

export function registered(state: LeaseState, answer: RegisterAnswer): LeaseEffect[] {
  if (answer.status === 'superseded') return exit(state, 'superseded');
  if (answer.status === 'wait') return register(state, answer.waitMs);
  state.generation = Math.max(state.generation, answer.generation);
  // A register while the database reconciles is the node's report.
  if (answer.reconciling) state.reported = answer.generation;
  if (state.phase === 'registering') state.phase = 'running';
  else if (state.phase === 'stopping') {
    state.phase = 'stopped';
    state.fenceAt = Number.NEGATIVE_INFINITY;
  }
  return [];
}

/** No more admissions; who waits is refused, what is free goes back. */
export function stop(state: LeaseState, at: number): LeaseEffect[] {
  if (state.phase !== 'running') return [];
  state.phase = 'stopping';
  const effects: LeaseEffect[] = [];
  for (const { request } of state.waiting) {
    effects.push({ kind: 'refuse', request, code: 'accounting_unavailable', retryAfterSeconds: 1, limit: null });
  }
  state.waiting = [];
  return [...effects, ...returnFree(state, at), ...farewell(state)];
}

/**
 * Once the last call is settled and synced, a stopping process registers the epoch after its own, which it has claimed on the disk before: its
 * leases are closed at their final sums, and an ask that is still on its way finds its epoch dead.
 */
export function farewell(state: LeaseState): LeaseEffect[] {
  if (state.phase !== 'stopping' || state.requests.size > 0 || state.unsynced.length > 0) return [];
  const { epoch, torn } = state;
  const own = [...state.leases.values()].map(({ counter, spent }): LeaseFinal => ({ counter, epoch, final: spent }));
  return [{ kind: 'register', epoch: epoch + 1, finals: [...own, ...state.finals], torn, moved: false, afterMs: 0 }];
}
