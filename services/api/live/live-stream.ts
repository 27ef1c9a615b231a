import type { Timers } from '../../eventlog/timers.ts';
import { systemTimers } from '../../eventlog/timers.ts';

/** What a stream is made of. */
export interface LiveStreamOptions<Event> {
  /** The next event, or null where there is none yet. Never called twice at once. */
  readonly step: () => Promise<Event | null>;
  /** After how long `step` is worth calling again although nothing woke the stream. */
  readonly waitMs: () => number;
  /** The last event to send, as soon as the stream has to end; null while it goes on. Asked before each step and after it. */
  readonly last: () => Event | null;
  /** Called once, when nobody will pull any more. */
  readonly onClose: () => void;
  /** Where waiting happens; the event loop's own unless a simulation says otherwise. */
  readonly timers?: Timers;
}

/**
 * A stream that is pulled: at most one event is under way for each reader, so nothing piles up for one who does not read.
 *
 * Hand-made, because an async generator that waits cannot be returned from: the reader would be gone, and its subscription
 * would stay until the next event.
 * @returns the iterator, and `wake`, which makes a waiting stream look again.
 */
export function createLiveStream<Event>(options: LiveStreamOptions<Event>): {
  readonly iterator: AsyncIterableIterator<Event>;
  readonly wake: () => void;
} {
  const { timers = systemTimers } = options;
  let closed = false;
  let woken = false;
  let resume: (() => void) | null = null;
  const wake = (): void => {
    woken = true;
    resume?.();
  };
  const close = (): void => {
    if (closed) return;
    closed = true;
    options.onClose();
    wake();
  };
  const wait = (): Promise<void> =>
    new Promise((resolve) => {
      const cancel = timers.after(options.waitMs(), () => resume?.());
      resume = () => {
        resume = null;
        cancel();
        resolve();
      };
    });
  const done: IteratorResult<Event> = { done: true, value: undefined };
  const end = (): IteratorResult<Event> | null => {
    const last = options.last();
    if (last === null) return null;
    close();
    return { done: false, value: last };
  };

  const pull = async (): Promise<IteratorResult<Event>> => {
    while (!closed) {
      const ended = end();
      if (ended !== null) return ended;
      woken = false;
      const event = await options.step();
      if (closed) break;
      // The step may have waited for the database: who was revoked meanwhile does not get its event.
      if (event !== null) return end() ?? { done: false, value: event };
      if (!woken) await wait();
    }
    return done;
  };

  // Readers may pull twice at once, but the loop has one position.
  let queue: Promise<unknown> = Promise.resolve();
  const iterator: AsyncIterableIterator<Event> = {
    next: () => {
      const result = queue.then(pull).catch((error: unknown) => {
        close();
        throw error;
      });
      queue = result.catch(() => {});
      return result;
    },
    return: () => {
      close();
      return Promise.resolve(done);
    },
    throw: (error) => {
      close();
      return Promise.reject(error);
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return { iterator, wake };
}
