import type { Log } from '../runtime/log.ts';

const everyMs = 600_000;

/**
 * Deletes what nobody needs any more, every ten minutes. What fails is tried again the next time.
 * @param options.forget deletes up to a bound; the rest waits. @param options.trouble what to say when it fails.
 */
export function startForgetting(options: { readonly forget: () => Promise<void>; readonly trouble: string; readonly log: Log }): {
  readonly stop: () => Promise<void>;
} {
  const { forget, trouble, log } = options;
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    running ??= forget()
      .catch((error: unknown) => log.warn({ error }, `${trouble}; trying again`))
      .finally(() => {
        running = null;
      });
  }, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
