import type { AskedItem } from './lease-database.ts';

/** A limit as the database last said it is short, in its unit. */
export interface SeenLimit {
  readonly amount: bigint;
  readonly settled: bigint;
  /** Held by all proxies together. */
  readonly held: bigint;
  /** When its window is over; null = never. */
  readonly resetsAt: Date | null;
}

/** What to tell people of limits that refuse them. */
export interface SeenLimits {
  learn(item: AskedItem): void;
  /** Null where no answer told, or it is forgotten. */
  of(limit: string, group: string): SeenLimit | null;
}

/** Limits and groups; at the bound all are forgotten, and refusals name the budget alone until they are asked for again. */
const MOST_SEEN = 10_000;

export function createSeenLimits(): SeenLimits {
  const seen = new Map<string, SeenLimit>();
  return {
    learn: ({ limit, group, outcome, place, amount, rest, unsettled }) => {
      if (outcome !== 'short' || amount === null) return;
      if (seen.size >= MOST_SEEN) seen.clear();
      const held = unsettled - (rest ?? 0n);
      const resetsAt = place?.endsAt ?? null;
      seen.set(`${limit} ${group}`, { amount, settled: amount - unsettled, held: held < 0n ? 0n : held, resetsAt });
    },
    of: (limit, group) => seen.get(`${limit} ${group}`) ?? null,
  };
}
