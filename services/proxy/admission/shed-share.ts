/** How much the share moves in one step. */
const STEP = 0.1;
/** A delay far above the bound moves it no faster than this many steps. */
const MOST_STEPS = 3;
/** Never all: what still gets through is how the end of an overload is noticed by those who wait for it. */
const MOST = 0.9;

/**
 * Which share of new requests is refused next, given how late the event loop was in the last two looks. What counts is the lesser
 * lateness: a single pause, of the collector or of the whole machine, is no overload, and what waited through it is served. The share grows
 * while the loop is later than its bound, stands while it is within half of it, and falls twice as fast as it grew: with a look every
 * 100 ms it is back at 0 within half a second of the load's leaving.
 * @param share the share until now, 0 to 0.9.
 */
export function nextShedShare(share: number, delayMs: number, previousDelayMs: number, maxDelayMs: number): number {
  const lateMs = Math.min(delayMs, previousDelayMs);
  if (lateMs > maxDelayMs) return Math.min(MOST, share + STEP * Math.min(MOST_STEPS, lateMs / maxDelayMs));
  if (lateMs > maxDelayMs / 2) return share;
  const lower = share - 2 * STEP;
  return lower > STEP / 2 ? lower : 0;
}
