import type { Timers } from '../../services/eventlog/timers.ts';
import type { Clock } from '../../services/runtime/clock.ts';
import type { Random } from '../../services/runtime/random.ts';
import type { Dice } from './dice.ts';
import type { MachineClock } from './machine-clock.ts';
import type { Scheduler } from './scheduler.ts';

/** Thrown out of the call at which a process dies; nobody is left to hear it. */
class Death extends Error {
  override readonly name = 'Death';
}

/**
 * One process from its start to its death: an object graph whose every way out leads through here. Once dead its timers do not
 * fire, its calls do not come back and have no effect, so whatever of it still runs is a ghost that touches nothing.
 */
export interface Life {
  readonly name: string;
  readonly alive: boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** Stands still, as `freeze` says. */
  readonly frozen: boolean;
  /** Another machine has its volume: what it writes from now on is nowhere. */
  replaced: boolean;
  /** Calls of seams so far. */
  readonly calls: number;
  /** Dies at the `calls`-th call of a seam from now on; `onDeath` tells. */
  dieAfter(calls: number): void;
  /** Dies now. */
  die(where: string): void;
  /** Tells once, when it dies. */
  whenDead(tell: () => void): void;
  /** Runs `act` as the process's own: not once it is dead, and not before it thaws. */
  run(label: string, act: () => void): void;
  /** Stands still until the moment, as if stopped by SIGSTOP: what is due meanwhile comes afterwards. */
  freeze(untilMs: number): void;
  /** A call of a seam that does not wait. @throws Death when the process dies of it or is dead. */
  pass(seam: string): void;
  /**
   * A call of a seam that waits: `act` is begun now and takes what time it takes. Dying before it and dying between its effect
   * and its answer are different moments; a dead process's call never comes back, though what it began goes on.
   */
  call<Result>(seam: string, act: () => Promise<Result>): Promise<Result>;
}

export interface LifeOptions {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly machineClock: MachineClock;
  readonly onDeath: (life: Life, where: string) => void;
  readonly onSeam: (seam: string) => void;
}

const never = new Promise<never>(() => {});

export function startLife(options: LifeOptions): Life {
  const { name, scheduler, dice } = options;
  const startedAt = scheduler.now();
  let alive = true;
  let calls = 0;
  let callsLeft = Number.POSITIVE_INFINITY;
  let frozenUntil = 0;
  let lastTurnAt = 0;
  const mourners: (() => void)[] = [];

  function die(where: string): void {
    if (!alive) return;
    alive = false;
    options.onDeath(life, where);
    for (const tell of mourners) tell();
  }

  /** Counts a call. False when the process is dead or dies of it. */
  function survives(seam: string): boolean {
    if (!alive) return false;
    calls += 1;
    options.onSeam(seam);
    if (--callsLeft > 0) return true;
    die(seam);
    return false;
  }

  function run(label: string, act: () => void): void {
    if (!alive) return;
    const thawsIn = frozenUntil - scheduler.now();
    if (thawsIn > 0) {
      scheduler.afterInOrder(thawsIn, `${name} ${label}`, () => run(label, act));
      return;
    }
    try {
      act();
    } catch (error) {
      if (!(error instanceof Death)) throw error;
    }
  }

  const timers: Timers = {
    endOfTurn: (act) => {
      // In the order they were asked for, as the event loop keeps it.
      lastTurnAt = Math.max(lastTurnAt, scheduler.now() + dice.between(0.001, 0.2));
      scheduler.afterInOrder(lastTurnAt - scheduler.now(), `${name} turn`, () => run('turn', act));
    },
    // A timer is never early and often late.
    after: (delayMs, act) => scheduler.after(delayMs + dice.between(0, 1), `${name} timer`, () => run('timer', act)),
  };

  const life: Life = {
    name,
    replaced: false,
    get alive() {
      return alive;
    },
    clock: {
      now: () => options.machineClock.now(),
      monotonic: () => scheduler.now() - startedAt,
    },
    timers,
    random: { bytes: dice.bytes, fraction: dice.fraction },
    get frozen() {
      return frozenUntil > scheduler.now();
    },
    get calls() {
      return calls;
    },
    dieAfter: (more) => {
      callsLeft = more;
    },
    die,
    whenDead: (tell) => void mourners.push(tell),
    run,
    freeze: (untilMs) => {
      // In whole microseconds, as the scheduler counts: otherwise it would thaw a fraction after the moment it is looked at.
      frozenUntil = Math.max(frozenUntil, Math.ceil(untilMs * 1_000) / 1_000);
    },
    pass: (seam) => {
      if (!survives(seam)) throw new Death(seam);
    },
    call: (seam, act) => {
      if (!survives(`${seam}:begin`)) return never;
      return new Promise((resolve, reject) => {
        const back = (settle: () => void): void => run(seam, () => (survives(`${seam}:end`) ? settle() : undefined));
        act().then(
          (result) => back(() => resolve(result)),
          (error: unknown) => back(() => reject(error)),
        );
      });
    },
  };
  return life;
}
