import { drop } from './lease-asks.ts';
import type { BeatAnswer, LeaseEffect } from './lease-effects.ts';
import { recalled, unacknowledged, yieldNext } from './lease-returns.ts';
import { type Lease, type LeaseState, learnGranted, slotOf } from './lease-state.ts';

/** Sends a beat, or the one in flight again under its own nonce: the database counts it once, whichever of its copies arrives. */
export function beat(state: LeaseState, nonce: string, at: number): LeaseEffect[] {
  if (state.phase !== 'running' && state.phase !== 'stopping') return [];
  state.beating ??= { nonce, sentAt: at };
  const { epoch, generation, beats, beating } = state;
  return [{ kind: 'beat', epoch, generation, beat: beats, nonce: beating.nonce, returned: unacknowledged(state) }];
}

/** A database that was restored: everybody reports, nothing is granted, local room serves on (`reference/leases.md` §9). */
export function adoptGeneration(state: LeaseState, generation: number, reconciling: boolean): LeaseEffect[] {
  if (generation > state.generation) state.generation = generation;
  if (!reconciling || state.reported >= state.generation) return [];
  return report(state);
}

/** Own leases as they are, and the finals of all epochs the spool remembers. */
function report(state: LeaseState): LeaseEffect[] {
  const { epoch, generation, beats, torn } = state;
  const own = [...state.leases.values()].map(({ counter, granted, returned }) => ({ counter, epoch, granted, returned, final: null }));
  const older = state.finals.map(({ counter, epoch: of, final }) => ({ counter, epoch: of, granted: 0n, returned: 0n, final }));
  return [{ kind: 'report', epoch, generation, beat: beats, leases: [...own, ...older], torn }];
}

/** A report that arrived counts; one without an answer is made again at the next sign of reconciling. */
export function reported(
  state: LeaseState,
  answer: { status: 'staged' | 'resumed' | 'settled' | 'stale' | 'superseded'; generation: number },
): LeaseEffect[] {
  if (answer.status === 'superseded') return exit(state, 'superseded');
  if (answer.status === 'stale') return adoptGeneration(state, answer.generation, true);
  if (answer.generation === state.generation) state.reported = state.generation;
  return [];
}

export function exit(state: LeaseState, cause: 'superseded' | 'copied'): LeaseEffect[] {
  state.phase = 'exited';
  state.fenceAt = Number.NEGATIVE_INFINITY;
  return [{ kind: 'exit', cause }];
}

/** The answer to the beat in flight; any other one is of a copy of it that was late. */
export function beaten(state: LeaseState, answer: BeatAnswer, at: number): LeaseEffect[] {
  const { beating } = state;
  if (beating === null || beating.nonce !== answer.nonce || answer.generation < state.generation) return [];
  if (answer.status === 'copied') return exit(state, 'copied');
  state.beating = null;
  if (answer.status === 'taken') {
    state.beats = answer.beat;
    state.live = answer.live;
    state.fenceAt = Math.max(state.fenceAt, beating.sentAt + state.times.fenceMs);
  }
  const effects = adoptGeneration(state, answer.generation, answer.reconciling);
  if (answer.reconciling) return effects;
  for (const told of answer.leases) heard(state, told, at);
  return effects;
}

function heard(state: LeaseState, told: BeatAnswer['leases'][number], at: number): void {
  const { counter, limit, group, granted, version } = told;
  const slot = slotOf(state, limit, group);
  const known = state.leases.get(counter);
  if (known === undefined) {
    // The answer that granted it never came. What its window is was in that answer: until an ask tells again, it only goes back.
    if (granted > 0n) state.leases.set(counter, stray(told, at));
    return;
  }
  learnGranted(known, granted);
  if (told.gone) drop(slot, known);
  if (told.wanted) yieldNext(state, known, at);
  if (told.wanted || version !== known.version) recalled(state, known, at);
  if (version !== known.version) slot.refusal = null;
  known.version = version;
}

function stray({ limit, group, counter, granted, version }: BeatAnswer['leases'][number], at: number): Lease {
  const none = { returned: 0n, spent: 0n, unsynced: 0n, free: granted, acknowledged: 0n, usedNow: 0n, usedBefore: 0n };
  const never = { opensAt: Number.NEGATIVE_INFINITY, stopsAt: Number.POSITIVE_INFINITY };
  return {
    limit,
    group,
    counter,
    granted,
    ...none,
    ...never,
    gone: true,
    scarceUntil: 0,
    yields: 'ready',
    usedAt: at,
    takenBy: null,
    horizonAt: at,
    version,
  };
}
