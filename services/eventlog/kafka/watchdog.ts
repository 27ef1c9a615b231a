import type { Timers } from '../timers.ts';

/** Notices that something which should happen all the time has stopped happening. */
export interface Watchdog {
  /** It happened. */
  feed(): void;
  /** Resolves when it has not happened for as long as was agreed. */
  readonly silent: Promise<void>;
  end(): void;
}

/** kafkajs has been seen to stop fetching without a word after a broker closed a connection (tulios/kafkajs#659). */
export function createWatchdog(silenceMs: number, timers: Timers): Watchdog {
  let fed = true;
  let cancel: () => void = () => {};
  const silent = new Promise<void>((resolve) => {
    // Looking twice an interval costs nothing per feeding.
    const look = (): void => {
      if (fed) {
        fed = false;
        cancel = timers.after(silenceMs, look);
      } else resolve();
    };
    look();
  });
  return {
    feed: () => {
      fed = true;
    },
    silent,
    end: () => cancel(),
  };
}
