/** One second of load, as applications saw it. */
export type LoadSecond = { answered: number; left: number; failed: number; slowestMs: number };

/** What became of a request. */
export type Fate = 'answered' | 'left' | 'failed';

/** Requests at even distances, whatever becomes of them. */
export type OpenLoop = {
  readonly inFlight: () => number;
  /** Requests that were due and not sent, because too many were under way. */
  readonly heldBack: () => number;
  /** What happened since the last look. */
  readonly takeSecond: () => LoadSecond;
  /** Ends the asking. @returns once all answers are in. */
  readonly stop: () => Promise<void>;
};

const tickMs = 5;

/** @param options.send sends a request, counted from 0, and never rejects. */
export function startOpenLoop(options: {
  readonly ratePerSecond: number;
  readonly mostAtOnce: number;
  readonly send: (index: number) => Promise<Fate>;
}): OpenLoop {
  const pending = new Set<Promise<void>>();
  const startMs = performance.now();
  let due = 0;
  let sent = 0;
  let heldBack = 0;
  const nothing = (): LoadSecond => ({ answered: 0, left: 0, failed: 0, slowestMs: 0 });
  let second = nothing();

  const send = async (index: number): Promise<void> => {
    const sentMs = performance.now();
    const fate = await options.send(index);
    second[fate] += 1;
    if (fate === 'answered') second.slowestMs = Math.max(second.slowestMs, performance.now() - sentMs);
  };
  const timer = setInterval(() => {
    const until = ((performance.now() - startMs) / 1_000) * options.ratePerSecond;
    for (; due < until; due++) {
      if (pending.size >= options.mostAtOnce) {
        heldBack += 1;
        continue;
      }
      const one = send(sent++).finally(() => pending.delete(one));
      pending.add(one);
    }
  }, tickMs);
  return {
    inFlight: () => pending.size,
    heldBack: () => heldBack,
    takeSecond: () => {
      const taken = second;
      second = nothing();
      return taken;
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all(pending);
    },
  };
}
