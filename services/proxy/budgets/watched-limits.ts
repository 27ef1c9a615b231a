import type { Timers } from '../../eventlog/timers.ts';
import type { Log } from '../../runtime/log.ts';

/** A limit as the database has it, in its unit. */
export interface LimitSight {
  readonly amount: bigint;
  /** In the window of now. */
  readonly settled: bigint;
}

/** One limit and group. */
export interface LimitPlace {
  readonly limit: string;
  readonly group: string;
}

/** Reads limits as they stand; null where there is no such limit. In the order of the places. */
export type LookAtLimits = (places: readonly LimitPlace[]) => Promise<readonly (LimitSight | null)[]>;

/** What was seen of a limit last; changes in place. */
export interface WatchedLimit {
  readonly sight: LimitSight | null;
  /** Milliseconds that only grow, as at the look. */
  readonly seenAt: number;
}

/**
 * What is known of the limits that are audited, and of those whose thresholds answers warn of: leases do not tell what is booked, so they are looked at
 * while they are used. No request waits for a look.
 */
export interface WatchedLimits {
  /** What was seen of a limit within the last five seconds, or null; it is looked at soon. */
  see(limit: string, group: string): LimitSight | null;
  /** It is looked at soon, as {@link see} does, for who asks later what was seen. */
  watch(limit: string, group: string): WatchedLimit;
  /** As {@link see}, and nothing more. */
  lastSeen(limit: string, group: string): LimitSight | null;
  stop(): void;
}

/** A limit that is used is looked at as often. */
const LOOK_MS = 1_000;
/** Uses of so long are looked for together. */
const GATHER_MS = 25;
/** What is older is not judged by. */
export const FRESH_MS = 5_000;
/** Of one look; the others wait for the next. */
const MOST_AT_ONCE = 1_000;
/** Limits and groups; at the bound all are forgotten, and requests are judged by what is seen before they end. */
const MOST_KNOWN = 20_000;

interface Known extends LimitPlace {
  sight: LimitSight | null;
  seenAt: number;
}

/** A text that is put together is hashed anew at each look-up, so what needs no group is found by its limit itself. */
function keyOf(limit: string, group: string): string {
  return group === '' ? limit : `${limit} ${group}`;
}

export function createWatchedLimits(options: {
  readonly look: LookAtLimits;
  /** Milliseconds that only grow. */
  readonly now: () => number;
  readonly timers: Timers;
  readonly log: Log;
}): WatchedLimits {
  const { look, now, timers, log } = options;
  const known = new Map<string, Known>();
  const due = new Set<Known>();
  let cancel: (() => void) | null = null;
  let stopped = false;
  let reachable = true;

  const lookSoon = (delayMs: number): void => {
    if (cancel !== null || stopped) return;
    cancel = timers.after(delayMs, () => void lookAtDue());
  };

  const lookAtDue = async (): Promise<void> => {
    const looked = [...due].slice(0, MOST_AT_ONCE);
    for (const each of looked) due.delete(each);
    const askedAt = now();
    try {
      const sights = await look(looked);
      for (const [index, each] of looked.entries()) {
        each.sight = sights[index] ?? null;
        // The moment of the asking: what is settled later is not in it.
        each.seenAt = askedAt;
      }
      reachable = true;
    } catch (error) {
      if (reachable) log.warn({ error }, 'limits cannot be looked at: requests are neither judged by audited ones nor warned of others');
      reachable = false;
    }
    cancel = null;
    if (due.size > 0) lookSoon(reachable ? GATHER_MS : LOOK_MS);
  };

  const find = (limit: string, group: string): Known => {
    const key = keyOf(limit, group);
    const found = known.get(key);
    if (found !== undefined) return found;
    if (known.size >= MOST_KNOWN) {
      known.clear();
      due.clear();
    }
    const made: Known = { limit, group, sight: null, seenAt: Number.NEGATIVE_INFINITY };
    known.set(key, made);
    return made;
  };

  const fresh = ({ sight, seenAt }: Known): LimitSight | null => (now() - seenAt <= FRESH_MS ? sight : null);

  const watch = (limit: string, group: string): Known => {
    const each = find(limit, group);
    if (now() - each.seenAt > LOOK_MS && !due.has(each)) {
      due.add(each);
      lookSoon(reachable ? GATHER_MS : LOOK_MS);
    }
    return each;
  };

  return {
    see: (limit, group) => fresh(watch(limit, group)),
    watch,
    lastSeen: (limit, group) => {
      const each = known.get(keyOf(limit, group));
      return each === undefined ? null : fresh(each);
    },
    stop: () => {
      stopped = true;
      cancel?.();
    },
  };
}
