import type { Dice } from './dice.ts';
import type { Trace } from './trace.ts';

/** Something that happens at a moment of virtual time. */
type Happening = {
  readonly atUs: number;
  /** Decides among happenings of the same moment. */
  readonly rank: number;
  readonly number: number;
  readonly label: string;
  readonly run: () => void;
  cancelled: boolean;
};

/**
 * The one source of time and order: a queue of happenings in virtual time. One happening runs at a time, and everything that
 * follows from it without waiting (promises, next ticks) has run before the next one begins, so that a run is a sequence and
 * the same seed gives the same one.
 */
export interface Scheduler {
  /** Virtual milliseconds since the run began, in whole microseconds. */
  now(): number;
  /** Runs `run` after `delayMs`; those of the same moment run in an order by chance. Returns how to cancel it. */
  after(delayMs: number, label: string, run: () => void): () => void;
  /** As `after`, but behind everything that was asked for before it at that moment. */
  afterInOrder(delayMs: number, label: string, run: () => void): () => void;
  /** Runs the next happening and what follows from it. False when there is none. */
  step(): Promise<boolean>;
  /** Happenings that have run. */
  readonly steps: number;
  readonly waiting: number;
}

export function createScheduler(dice: Dice, trace: Trace): Scheduler {
  const heap: Happening[] = [];
  let nowUs = 0;
  let number = 0;
  let steps = 0;

  function add(delayMs: number, label: string, rank: number, run: () => void): () => void {
    const atUs = nowUs + Math.max(0, Math.round(delayMs * 1_000));
    const happening = { atUs, rank, number: ++number, label, run, cancelled: false };
    push(heap, happening);
    return () => {
      happening.cancelled = true;
    };
  }

  return {
    now: () => nowUs / 1_000,
    after: (delayMs, label, run) => add(delayMs, label, dice.fraction(), run),
    afterInOrder: (delayMs, label, run) => add(delayMs, label, 1, run),
    async step() {
      let next = pop(heap);
      while (next?.cancelled === true) next = pop(heap);
      if (next === undefined) return false;
      nowUs = Math.max(nowUs, next.atUs);
      steps += 1;
      trace.add(`${nowUs} ${next.label}`);
      next.run();
      await settled(steps);
      return true;
    },
    get steps() {
      return steps;
    },
    get waiting() {
      return heap.length;
    },
  };
}

/** How often, in steps, the real event loop gets its turn: signals, and whoever shows progress. */
const YIELD_EVERY = 512;
/** Ticks that follow from promises that follow from ticks, as in streams, so many times over. */
const ROUNDS = 3;

/**
 * Resolves when everything that needs no waiting has run: a tick comes after all promises that can settle have, and nothing in
 * the simulated world waits for anything but the scheduler. An immediate would do as well, and cost a system call each time.
 */
async function settled(steps: number): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) await new Promise((resolve) => process.nextTick(resolve));
  if (steps % YIELD_EVERY === 0) await new Promise((resolve) => setImmediate(resolve));
}

function isBefore(left: Happening, right: Happening): boolean {
  if (left.atUs !== right.atUs) return left.atUs < right.atUs;
  return left.rank === right.rank ? left.number < right.number : left.rank < right.rank;
}

function push(heap: Happening[], happening: Happening): void {
  let at = heap.push(happening) - 1;
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || !isBefore(happening, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = happening;
}

function pop(heap: Happening[]): Happening | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    const left = heap[2 * at + 1];
    const right = heap[2 * at + 2];
    if (left === undefined) break;
    const child = right !== undefined && isBefore(right, left) ? right : left;
    if (!isBefore(child, last)) break;
    heap[at] = child;
    at = child === left ? 2 * at + 1 : 2 * at + 2;
  }
  heap[at] = last;
  return first;
}
