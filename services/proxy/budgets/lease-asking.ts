import type { Timers } from '../../eventlog/timers.ts';
import type { AskAnswer, LeaseEffect } from '../admission/leases/lease-effects.ts';
import type { LeaseReach } from './lease-reach.ts';

export type AskEffect = LeaseEffect & { readonly kind: 'ask' };

export interface LeaseAskingOptions<Answer extends AskAnswer> {
  readonly ask: (effect: AskEffect) => Promise<Answer>;
  readonly reach: LeaseReach;
  readonly timers: Pick<Timers, 'endOfTurn'>;
  /** False from the moment the process stops: nothing more is asked then. */
  readonly isRunning: () => boolean;
  /** Told once of each ask; null = the database did not say. */
  readonly onAnswered: (effect: AskEffect, answer: Answer | null) => void;
  readonly onFault: (error: unknown) => void;
}

/** One more is answered as if the database had not: its waiters are refused, and the next request asks again. */
const MOST_ASKS = 32;
/**
 * Of them, those made ahead. After a start every busy lease asks ahead at once: what is beyond this waits for its turn, at most one for each lease, so that
 * who needs an answer finds room beside it and nobody is refused for an ask that was put off.
 */
const MOST_ASKS_AHEAD = 16;

/** @returns what makes an ask, now or in its turn. */
export function createLeaseAsking<Answer extends AskAnswer>(options: LeaseAskingOptions<Answer>): (effect: AskEffect) => void {
  const { ask, reach, timers, isRunning, onAnswered, onFault } = options;
  const putOff: AskEffect[] = [];
  let asking = 0;

  const make = (effect: AskEffect): void => {
    const isAhead = effect.items.every(({ need }) => need === 0n);
    if (isAhead && asking >= MOST_ASKS_AHEAD) {
      putOff.push(effect);
      return;
    }
    if (asking >= MOST_ASKS || !reach.mayAsk()) {
      timers.endOfTurn(() => {
        onAnswered(effect, null);
        makeNext();
      });
      return;
    }
    asking += 1;
    ask(effect)
      .then(
        (answer) => {
          reach.answered();
          return answer;
        },
        (error: unknown) => {
          reach.failed(error, 'ask');
          return null;
        },
      )
      .then((answer) => {
        asking -= 1;
        onAnswered(effect, answer);
      })
      .catch(onFault)
      .finally(makeNext);
  };

  /** Whatever became of the one before: nobody asks for a lease again as long as an ask for it was put off. */
  const makeNext = (): void => {
    const next = putOff.shift();
    if (next === undefined) return;
    if (isRunning()) make(next);
    else onAnswered(next, null);
  };

  return make;
}
