import type { Random } from '../runtime/random.ts';

/**
 * How long to wait before the next try: doubling from `firstMs` to `mostMs`, half of it by chance so that many waiters do not
 * come back at once.
 * @param attempt failures so far, from 1.
 */
export function backoffMs(attempt: number, limits: { readonly firstMs: number; readonly mostMs: number }, random: Random): number {
  const whole = Math.min(limits.mostMs, limits.firstMs * 2 ** Math.min(attempt - 1, 30));
  return whole / 2 + (whole / 2) * random.fraction();
}
