const firstDelayMs = 200;
const longestDelayMs = 5_000;
const windowMs = 60_000;
const deathsThatStop = 3;

/** What to do about a child that died. */
export type Verdict = { readonly kind: 'restart'; readonly afterMs: number } | { readonly kind: 'stop-everything' };

/**
 * Decides on a child's latest death. `deathsMs` are the times of all its deaths so far, the latest last, on a clock that only grows.
 * Three within a minute stop everything: what dies that often is broken, and trying on would only hide it. Until then the
 * wait doubles from 200 ms to 5 s, and begins anew after a minute without a death.
 */
export function restartVerdict(deathsMs: readonly number[]): Verdict {
  const last = deathsMs.at(-1) ?? 0;
  const recent = deathsMs.filter((at) => last - at < windowMs).length;
  if (recent >= deathsThatStop) return { kind: 'stop-everything' };
  let inARow = 1;
  for (let index = deathsMs.length - 1; index > 0; index--) {
    if ((deathsMs[index] ?? 0) - (deathsMs[index - 1] ?? 0) >= windowMs) break;
    inARow++;
  }
  return { kind: 'restart', afterMs: Math.min(firstDelayMs * 2 ** (inARow - 1), longestDelayMs) };
}
