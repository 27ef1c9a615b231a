import type { Log } from '../runtime/log.ts';

export interface Chore {
  /** Something was just left to do. */
  readonly wake: () => void;
  readonly stop: () => Promise<void>;
}

/** What another api left undone when it died is done a second later. */
const everyMs = 1_000;

/**
 * Does what waits in the database, piece by piece, at once when it is woken and every second besides. Every api does so: each piece is taken in
 * a transaction by one of them. What fails is tried again.
 * @param options.takeOne does one piece; false where there was none. @param options.trouble what to say when it fails.
 */
export function startChore(options: { readonly takeOne: () => Promise<boolean>; readonly trouble: string; readonly log: Log }): Chore {
  const { takeOne, trouble, log } = options;
  let running: Promise<void> | null = null;
  let isWoken = false;
  let isStopped = false;
  let isTroubled = false;

  const takeAll = async (): Promise<void> => {
    while (!isStopped) {
      isWoken = false;
      const isTaken = await takeOne();
      isTroubled = false;
      if (!isTaken && !isWoken) return;
    }
  };
  const run = (): void => {
    if (isStopped) return;
    running ??= takeAll()
      .catch((error: unknown) => {
        // Said once, not every second.
        if (!isTroubled) log.warn({ error }, `${trouble}; trying again`);
        isTroubled = true;
      })
      .finally(() => {
        running = null;
      });
  };
  const timer = setInterval(run, everyMs);

  return {
    wake: () => {
      isWoken = true;
      run();
    },
    stop: async () => {
      isStopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
