/** How much the share moves in one step. */
const STEP = 0.1;
/** A delay far above the bound moves it no faster than this many steps: one pause of the machine is not yet an overload. */
const MOST_STEPS = 3;
/** Never all: what still gets through is how the end of an overload is noticed by those who wait for it. */
const MOST = 0.9;

/**
 * Which share of new requests is refused next, given how late the event loop just was. It grows while the loop is later than its
 * bound, stands while it is within half of it, and falls twice as fast as it grew: with a look every 100 ms it is back at 0 within half a
 * second of the load's leaving.
 * @param share the share until now, 0 to 0.9.
 */
export function nextShedShare(share: number, delayMs: number, maxDelayMs: number): number {
  if (delayMs > maxDelayMs) return Math.min(MOST, share + STEP * Math.min(MOST_STEPS, delayMs / maxDelayMs));
  if (delayMs > maxDelayMs / 2) return share;
  const lower = share - 2 * STEP;
  return lower > STEP / 2 ? lower : 0;
}
