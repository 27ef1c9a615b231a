import type { Clock } from '../../runtime/clock.ts';
import type { HeldBytes } from '../held-bytes.ts';
import { nextShedShare } from './shed-share.ts';

/** What there was too much of. */
export type ShedReason = 'requests' | 'bytes' | 'event_loop';

export interface OverloadOptions {
  readonly clock: Clock;
  readonly held: HeldBytes;
  /** Requests admitted and not finished. */
  readonly inFlight: () => number;
  readonly maxRequests: number;
  /** Lateness of the event loop from which on a part of what comes is refused. */
  readonly maxLoopDelayMs: number;
}

/** Decides, before a request costs anything, whether the proxy can take it on. */
export interface Overload {
  /** Why the next request is refused, or null; asked once for each, since each refusal is counted. */
  refuse(): ShedReason | null;
  /** How many were refused so far, by reason. */
  readonly shed: Readonly<Record<ShedReason, number>>;
  stop(): void;
}

/** How often the event loop's lateness is looked at. */
const LOOK_MS = 100;

/**
 * Admits within the bounds on requests and bytes; while the event loop is later than its bound, refuses a growing share of what comes
 * ({@link nextShedShare}). The share is spread evenly, not drawn: of ten requests at 0.3 the same number is refused each time.
 */
export function createOverload(options: OverloadOptions): Overload {
  const { clock, held, inFlight, maxRequests, maxLoopDelayMs } = options;
  const shed = { requests: 0, bytes: 0, event_loop: 0 };
  let share = 0;
  let due = 0;
  let lastLook = clock.monotonic();
  let lastDelayMs = 0;
  const timer = setInterval(() => {
    const now = clock.monotonic();
    const delayMs = now - lastLook - LOOK_MS;
    share = nextShedShare(share, delayMs, lastDelayMs, maxLoopDelayMs);
    if (share === 0) due = 0;
    lastLook = now;
    lastDelayMs = delayMs;
  }, LOOK_MS);
  timer.unref();

  const reason = (): ShedReason | null => {
    if (inFlight() >= maxRequests) return 'requests';
    if (held.isFull) return 'bytes';
    if (share === 0) return null;
    due += share;
    if (due < 1) return null;
    due -= 1;
    return 'event_loop';
  };

  return {
    refuse: () => {
      const found = reason();
      if (found !== null) shed[found] += 1;
      return found;
    },
    shed,
    stop: () => clearInterval(timer),
  };
}
