import type { Random } from '../../runtime/random.ts';

const minuteMs = 60_000;
const hourMs = 3_600_000;

/** After each failure but the last: seven waits, 24 hours together, so that a receiver that is away overnight misses nothing. */
const waitsMs: readonly number[] = [
  5_000,
  minuteMs,
  5 * minuteMs,
  30 * minuteMs,
  2 * hourMs,
  6 * hourMs,
  15 * hourMs + 23 * minuteMs + 55_000,
];

/** How many tries a message is worth. */
export const mostTries = waitsMs.length + 1;

/** Of each wait, taken away by chance, so that what failed together does not come back together. */
const jitter = 0.1;
/** A receiver's word counts up to here. */
const longestAskedMs = 6 * hourMs;

/**
 * How long to wait after a failed try; null = it was the last.
 * @param tries so far, from 1. @param most how many the message is worth, at most {@link mostTries}.
 * @param retryAfterMs what the receiver asked for (`Retry-After`): it is waited for at least, up to six hours; null = nothing.
 */
export function nextTryAfterMs(tries: number, most: number, retryAfterMs: number | null, random: Random): number | null {
  const waitMs = waitsMs[tries - 1];
  if (waitMs === undefined || tries >= most) return null;
  const ours = Math.round(waitMs * (1 - jitter * random.fraction()));
  return Math.max(ours, Math.min(retryAfterMs ?? 0, longestAskedMs));
}
