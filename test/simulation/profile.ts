import type { Dice } from './dice.ts';
import type { FaultName } from './faults/fault-names.ts';
import { FAULT_NAMES } from './faults/fault-names.ts';

/** What a world is made of, by its seed alone. */
export interface Profile {
  readonly eventLog: 'kafka' | 'embedded';
  readonly proxies: number;
  readonly ledgers: number;
  readonly apis: number;
  readonly durability: 'group' | 'strict';
  readonly spool: { readonly maxBytes: number; readonly maxOpen: number; readonly segmentBytes: number };
  readonly journal: { readonly maxBytes: number; readonly segmentBytes: number };
  /** Longest a sync takes on a disk that is well. */
  readonly syncMs: number;
  /** Mean time between two requests of a proxy. */
  readonly requestEveryMs: number;
  /** Whether organizations have budgets, and requests hold of them. */
  readonly budgets: boolean;
  /** Whether a proxy stands still for minutes while another machine takes its volume. */
  readonly replacements: boolean;
  /** Share of calls that take up to a minute and a half. */
  readonly slowShare: number;
  /** Mean time between two faults. */
  readonly faultEveryMs: number;
  /** Faults of this world: each seed has some of them, so that rare ones are not drowned by frequent ones. */
  readonly faults: readonly FaultName[];
}

export function chooseProfile(dice: Dice, budgets: boolean, replacements: boolean): Profile {
  const eventLog = dice.chance(0.65) ? 'kafka' : 'embedded';
  const share = dice.pick([0.2, 0.4, 0.7]);
  const faults = FAULT_NAMES.filter(() => dice.chance(share));
  const proxies = 1 + dice.below(3);
  return {
    eventLog,
    proxies: budgets ? Math.max(2, proxies) : proxies,
    ledgers: eventLog === 'embedded' ? 1 : 1 + dice.below(3),
    apis: 1 + dice.below(2),
    durability: dice.chance(0.35) ? 'strict' : 'group',
    spool: {
      maxBytes: dice.pick([4, 16, 64]) * 1024 ** 2,
      maxOpen: dice.pick([20, 1_000]),
      segmentBytes: dice.pick([4, 16, 64]) * 1024,
    },
    journal: { maxBytes: dice.pick([1, 64]) * 1024 ** 2, segmentBytes: dice.pick([8, 64]) * 1024 },
    syncMs: dice.pick([2, 10, 100]),
    requestEveryMs: dice.pick([20, 100, 400]),
    slowShare: dice.pick([0, 0.05, 0.3]),
    faultEveryMs: dice.pick([300, 1_500, 6_000]),
    budgets,
    replacements,
    // What a lying disk loses no book can be held to.
    faults: budgets ? faults.filter((fault) => fault !== 'disk: lying') : faults,
  };
}
