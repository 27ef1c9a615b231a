import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../runtime/log.ts';

export interface HourlyWork {
  /** Waits for the run under way, which is told by its signal to end early. */
  readonly stop: () => Promise<void>;
}

const everyMs = 3_600_000;

/**
 * Does something at once and every hour. A failure is told and the work done again an hour later; nothing may depend on its moment.
 * @param trouble what to say when it fails.
 */
export function everyHour(work: (stopping: AbortSignal) => Promise<void>, trouble: string, log: Log): HourlyWork {
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await work(stopping.signal).catch((error: unknown) => log.warn({ error }, trouble));
      await pause(everyMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const ended = run();
  return {
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}
