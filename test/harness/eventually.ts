/** How long to wait between two looks: short enough not to be felt in a test, long enough not to busy a shared core. */
const intervalMs = 20;
const patienceMs = 20_000;

/**
 * Looks again and again until `condition` holds, and returns what it gave; this is how tests wait instead of sleeping.
 *
 * "Holds" means: it did not throw and gave something truthy. A condition may therefore contain assertions, whose failure counts as "not yet",
 * but it must have no effect that may not happen twice. A single look that hangs is abandoned at the deadline too.
 *
 * @param condition looked at once at least, never twice at the same time.
 * @param deadlineMs how long to keep looking, in real milliseconds. It is there to end a test that hangs, so it is far beyond what a busy
 *   machine takes; where the time itself is promised, measure it.
 * @returns the first truthy value.
 * @throws Error naming the deadline and the last thing seen (value or error, the error also as `cause`).
 */
export async function eventually<T>(condition: () => T | Promise<T>, deadlineMs = patienceMs): Promise<NonNullable<T>> {
  const startedAt = performance.now();
  let seen = 'nothing: the first look never finished';
  let cause: unknown;
  let looks = 0;
  while (true) {
    const leftMs = startedAt + deadlineMs - performance.now();
    if (leftMs <= 0 && looks > 0) break;
    try {
      const look = await withDeadline(condition, Math.max(leftMs, 1));
      looks += 1;
      if (look === 'abandoned') {
        if (looks > 1) seen = `a look that never finished, before it ${seen}`;
        continue;
      }
      if (look.value) return look.value;
      seen = `the value ${show(look.value)}`;
      cause = undefined;
    } catch (error) {
      looks += 1;
      seen = `the error ${error instanceof Error ? error.message : show(error)}`;
      cause = error;
    }
    const pauseMs = Math.min(intervalMs, startedAt + deadlineMs - performance.now());
    if (pauseMs > 0) await new Promise<void>((resolve) => setTimeout(resolve, pauseMs));
  }
  const error = new Error(`Not within ${deadlineMs} ms (${looks} looks). Last seen: ${seen}`, { cause });
  // The stack should point at the test, not into this loop.
  Error.captureStackTrace(error, eventually);
  throw error;
}

async function withDeadline<T>(condition: () => T | Promise<T>, leftMs: number): Promise<{ readonly value: T } | 'abandoned'> {
  let timer: NodeJS.Timeout | undefined;
  const abandoned = new Promise<'abandoned'>((resolve) => {
    timer = setTimeout(resolve, leftMs, 'abandoned');
  });
  try {
    return await Promise.race([Promise.resolve(condition()).then((value) => ({ value })), abandoned]);
  } finally {
    clearTimeout(timer);
  }
}

function show(value: unknown): string {
  if (value === undefined) return 'undefined';
  try {
    return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)) ?? String(value);
  } catch {
    return String(value);
  }
}
