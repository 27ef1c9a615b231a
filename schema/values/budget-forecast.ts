/** What is settled on a counter, and since when. */
export interface SettledSoFar {
  /** In the unit of the limit, as is `amount`. */
  readonly settled: bigint;
  readonly amount: bigint;
  /** When the counter began to count: at its first hold, and never before its window. */
  readonly since: Date;
  /** Of a calendar window; null: it does not end. */
  readonly endsAt: Date | null;
  /** Of a rolling window; null: any other. */
  readonly windowMs: number | null;
}

/** A rate over less than this is chance; of a short window, over less than a sixtieth of it. */
const leastElapsedMs = 60_000;
/** What is further away is no forecast. */
const furthestMs = 10 * 366 * 86_400_000;

/**
 * When the limit is used up if money goes on being settled at the average rate since the counter began: linear, with no regard to the
 * hour of the day, to what is held, or to what was lately. In a rolling window it holds for as long as nothing has left it.
 * @returns never earlier than `now`, which it is where the limit is used up already. Null: not before the window ends, not within ten years, or
 * not known, since nothing is settled yet, the counter has only just begun, or what is settled leaves a rolling window as well.
 */
export function forecastExhaustion(soFar: SettledSoFar, now: Date): Date | null {
  const { settled, amount, since, endsAt, windowMs } = soFar;
  if (endsAt !== null && endsAt <= now) return null;
  if (settled >= amount) return now;
  const elapsedMs = now.getTime() - since.getTime();
  const lengthMs = windowMs ?? (endsAt === null ? Number.POSITIVE_INFINITY : endsAt.getTime() - since.getTime());
  if (settled <= 0n || elapsedMs <= 0 || elapsedMs < Math.min(leastElapsedMs, lengthMs / 60)) return null;
  if (windowMs !== null && elapsedMs >= windowMs) return null;
  const leftMs = ((amount - settled) * BigInt(elapsedMs) + settled - 1n) / settled;
  if (leftMs > BigInt(furthestMs)) return null;
  const exhaustedAt = new Date(now.getTime() + Number(leftMs));
  return endsAt !== null && exhaustedAt >= endsAt ? null : exhaustedAt;
}
