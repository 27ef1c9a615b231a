import { raise, take } from './lease-admissions.ts';
import { answered } from './lease-asks.ts';
import { adoptGeneration, beat, beaten, reported } from './lease-beats.ts';
import { farewell, type RegisterAnswer, register, registered, stop } from './lease-boot.ts';
import type { AskAnswer, BeatAnswer, LeaseEffect } from './lease-effects.ts';
import { returned, tick } from './lease-returns.ts';
import type { HoldCosts, HoldWanted, LeaseState } from './lease-state.ts';
import { settle, synced } from './lease-takes.ts';

/** Everything that happens to the leases of a process. `at` is the process's clock in ms, which only grows. */
export type LeaseInput =
  | { readonly kind: 'boot' }
  | { readonly kind: 'registered'; readonly answer: RegisterAnswer }
  | { readonly kind: 'take' | 'raise'; readonly request: string; readonly holds: readonly HoldWanted[]; readonly at: number }
  /** `costs` by counter; null: unknown, the hold is debited. */
  | { readonly kind: 'settle'; readonly request: string; readonly costs: HoldCosts | null; readonly at: number }
  /** The records of all settlements up to this one are durable. */
  | { readonly kind: 'synced'; readonly settlement: number }
  /** `answer` null: none came in time; what it did is unknown. `sentAt` as the ask had it. */
  | { readonly kind: 'answered'; readonly ask: number; readonly sentAt: number; readonly answer: AskAnswer | null; readonly at: number }
  | { readonly kind: 'beat'; readonly nonce: string; readonly at: number }
  | { readonly kind: 'beaten'; readonly answer: BeatAnswer; readonly at: number }
  | {
      readonly kind: 'returned';
      readonly generation: number;
      readonly reconciling: boolean;
      readonly items: readonly {
        readonly counter: string;
        readonly outcome: 'returned' | 'gone' | 'forgotten';
        readonly returned: bigint;
      }[];
    }
  | {
      readonly kind: 'reported';
      readonly answer: { readonly status: 'staged' | 'resumed' | 'settled' | 'stale' | 'superseded'; readonly generation: number };
    }
  | { readonly kind: 'tick'; readonly at: number }
  | { readonly kind: 'stop'; readonly at: number };

function withFarewell(state: LeaseState, effects: LeaseEffect[]): LeaseEffect[] {
  return state.phase === 'stopping' ? [...effects, ...farewell(state)] : effects;
}

/** One step: the state, changed in place (see `LeaseState`), and what is to be done now. */
export function step(state: LeaseState, input: LeaseInput): [LeaseState, LeaseEffect[]] {
  return [state, state.phase === 'exited' && input.kind !== 'settle' ? [] : effectsOf(state, input)];
}

function effectsOf(state: LeaseState, input: LeaseInput): LeaseEffect[] {
  switch (input.kind) {
    case 'boot':
      return register(state, 0);
    case 'registered':
      return registered(state, input.answer);
    case 'take':
      return take(state, input.request, input.holds, input.at);
    case 'raise':
      return raise(state, input.request, input.holds, input.at);
    case 'settle':
      return withFarewell(state, settle(state, input.request, input.costs, input.at));
    case 'synced':
      return withFarewell(state, synced(state, input.settlement));
    case 'answered': {
      const effects = answered(state, input.ask, input.sentAt, input.answer, input.at);
      if (input.answer === null) return effects;
      return [...effects, ...adoptGeneration(state, input.answer.generation, input.answer.status === 'reconciling')];
    }
    case 'beat':
      return beat(state, input.nonce, input.at);
    case 'beaten':
      return beaten(state, input.answer, input.at);
    case 'returned':
      if (input.generation >= state.generation && !input.reconciling) returned(state, input.items);
      return adoptGeneration(state, input.generation, input.reconciling);
    case 'reported':
      return reported(state, input.answer);
    case 'tick':
      return tick(state, input.at);
    case 'stop':
      return stop(state, input.at);
    default:
      return input satisfies never;
  }
}
