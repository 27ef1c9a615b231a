import type { Dice } from './dice.ts';
import type { Counts } from './faults/counts.ts';
import type { Life } from './life.ts';
import { startLife } from './life.ts';
import type { Machine } from './machine.ts';
import type { Scheduler } from './scheduler.ts';
import type { Trace } from './trace.ts';

/** A place in the world that one process fills, again and again. */
export interface Slot<Running> {
  readonly name: string;
  readonly machine: Machine;
  /** The process that fills it; null between a death and the next start. */
  readonly life: Life | null;
  /** What it serves once it has started. */
  readonly running: Running | null;
  /** Kills it. */
  kill(): void;
  /** Takes the power of its machine away for a moment. */
  cutPower(): void;
  /**
   * Its machine stands still for so long, and its volume goes to another one, where it is started again. What stood still goes on afterwards and finds
   * its disk silent. @returns it; null where nothing runs.
   */
  replace(forMs: number): { readonly life: Life; readonly running: Running } | null;
  /** Has it killed at the `calls`-th call of a seam from now on. */
  killAfter(calls: number): void;
  /** Stops it the proper way; it is started again. */
  stop(): void;
  /** It lives for as long as it likes. */
  spare(): void;
}

/** How long a proper stop may take before the process is killed. */
const STOP_DEADLINE_MS = 40_000;

export function createSlot<Running>(options: {
  readonly name: string;
  readonly machine: Machine;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly counts: Counts;
  readonly trace: Trace;
  /** Starts the process. A rejection ends it, and it is started again. */
  readonly start: (life: Life) => Promise<Running>;
  readonly stop: (running: Running) => Promise<void>;
  readonly onDeath?: (how: 'kill' | 'power cut') => void;
}): Slot<Running> {
  const { name, machine, scheduler, dice, counts, trace } = options;
  const kind = name.replace(/-\d+$/, '');
  let boots = 0;
  let life: Life | null = null;
  let running: Running | null = null;
  let how: 'kill' | 'power cut' = 'kill';

  function startLater(delayMs: number): void {
    scheduler.after(delayMs, `${name} starts`, start);
  }

  function start(): void {
    const mine = startLife({
      name: `${name}/${++boots}`,
      scheduler,
      dice: dice.fork(`${name}/${boots}`),
      machineClock: machine.clock,
      onSeam: () => {},
      onDeath: (dead, where) => {
        trace.add(`${dead.name} dies (${how}) at ${where}`);
        if (dead.replaced) return;
        life = null;
        running = null;
        machine.loseProcess(how);
        options.onDeath?.(how);
        how = 'kill';
        startLater(dice.between(5, 2_500));
      },
    });
    life = mine;
    options.start(mine).then(
      (started) => {
        if (mine.alive) running = started;
      },
      (error: unknown) => {
        if (!mine.alive) return;
        counts.add(`${kind}: start failed`);
        trace.add(`${mine.name} could not start: ${error instanceof Error ? error.message : String(error)}`);
        mine.die('start');
      },
    );
  }

  startLater(dice.between(0, 50));
  return {
    name,
    machine,
    get life() {
      return life;
    },
    get running() {
      return running;
    },
    kill: () => life?.die('kill'),
    cutPower: () => {
      if (life === null) return;
      how = 'power cut';
      life.die('power');
    },
    replace: (forMs) => {
      const [mine, left] = [life, running];
      if (mine === null || left === null) return null;
      trace.add(`${mine.name} stands still, and another machine has its volume`);
      mine.replaced = true;
      mine.freeze(scheduler.now() + forMs);
      life = null;
      running = null;
      machine.loseProcess('power cut');
      options.onDeath?.('power cut');
      startLater(dice.between(5, 2_500));
      return { life: mine, running: left };
    },
    killAfter: (calls) => life?.dieAfter(calls),
    stop: () => {
      const [mine, stopped] = [life, running];
      if (mine === null || stopped === null) return;
      running = null;
      const end = (): void => mine.die('end');
      mine.run('stop', () => void options.stop(stopped).then(end, end));
      scheduler.after(STOP_DEADLINE_MS, `${name} stop deadline`, end);
    },
    spare: () => life?.dieAfter(Number.POSITIVE_INFINITY),
  };
}
