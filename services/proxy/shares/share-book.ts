import type { SharePlace } from './share-place.ts';
import { createSharePlace, fitsIn, hear, isChanged, isIdle, isUrgent, keptOf, lastTellOf, levelOf, tellOf } from './share-place.ts';
import type { AnsweredShare, ShareAnswer, ShareMessage } from './share-protocol.ts';

/** What a request takes of one limit. */
export interface ShareWanted {
  readonly limit: string;
  readonly group: string;
  readonly amount: bigint;
  /** Of the limit, as the snapshot has it. */
  readonly most: bigint;
  /** Null: it counts as long as it runs. */
  readonly periodMs: number | null;
}

/** What a request took of one limit. */
export interface TakenShare {
  readonly place: SharePlace;
  readonly mark: number;
  readonly amount: bigint;
}

/** Why a request finds no room. */
export interface ShareShortage {
  readonly wanted: ShareWanted;
  /**
   * `short`: there is none now. `unproven`: nobody knows, since the database has not been heard. `crowded`: too many groups of the limit.
   */
  readonly kind: 'short' | 'unproven' | 'crowded';
  /** Whether a word with the database may bring room. */
  readonly mayAsk: boolean;
}

/** How a limit stands for a group, as far as this process knows. */
export interface ShareStanding {
  readonly used: bigint;
  readonly others: bigint;
  readonly remaining: bigint;
  /** Until nothing of what was used counts; infinite where time does not end it. */
  readonly endsInMs: number;
  /** Until what this process used leaves room for so much. */
  fitsInMs(amount: bigint): number;
}

/**
 * The shares that one process has of limits too short-lived for counters: what its requests use together is never more than its share, the shares of
 * all processes are never more than the limit, and only its owner lowers a share.
 */
export interface ShareBook {
  /**
   * Takes all or none.
   * @param isAgain for a request that was told of when it first found no room, and is not to be counted twice.
   */
  take(wanted: readonly ShareWanted[], now: number, isAgain?: boolean): readonly TakenShare[] | ShareShortage;
  /** The word that is due; null where there is nothing to say. */
  tell(now: number, leaving: boolean): ShareMessage | null;
  answered(message: ShareMessage, answer: ShareAnswer, now: number): void;
  /** Nobody knows whether the database heard it. */
  failed(message: ShareMessage): void;
  /** Whether others wait for a further word. */
  isDue(now: number): boolean;
  standing(limit: string, group: string, now: number): ShareStanding | null;
  /** The number of the word that comes next. */
  next(): number;
}

/** How long after a word that was heard a process may use its shares. The database gives them away 15 s later at the earliest (`share_silence`). */
const SHARE_FENCE_MS = 45_000;
/** Groups of one limit in one process. */
const MOST_GROUPS = 20_000;
/** Shares in one word; those that others wait for come first, and what was told longest ago. */
const MOST_TOLD = 500;

export function createShareBook(): ShareBook {
  const limits = new Map<string, Map<string, SharePlace>>();
  let sequence = 0;
  let validUntil = Number.NEGATIVE_INFINITY;
  let isFirst = true;

  const find = (limit: string, group: string): SharePlace | undefined => limits.get(limit)?.get(group);

  const make = (place: SharePlace): SharePlace => {
    const groups = limits.get(place.limit) ?? new Map<string, SharePlace>();
    limits.set(place.limit, groups);
    groups.set(place.group, place);
    return place;
  };

  const placeOf = ({ limit, group, periodMs, most }: ShareWanted, now: number): SharePlace | null => {
    const groups = limits.get(limit);
    const known = groups?.get(group);
    if (known !== undefined) return known;
    return (groups?.size ?? 0) >= MOST_GROUPS ? null : make(createSharePlace(limit, group, periodMs, most, now));
  };

  const forget = ({ limit, group }: SharePlace): void => {
    const groups = limits.get(limit);
    groups?.delete(group);
    if (groups?.size === 0) limits.delete(limit);
  };

  const places = function* (): Generator<SharePlace> {
    for (const groups of limits.values()) yield* groups.values();
  };

  const shortage = (wanted: ShareWanted, place: SharePlace, now: number, isAgain: boolean): ShareShortage => {
    if (!isAgain) {
      place.lacking += wanted.amount;
      if (wanted.amount > place.need) place.need = wanted.amount;
    }
    const isKnown = now < validUntil;
    const mayAsk = !isKnown || (place.share < place.most && place.recall === null && now >= place.askAfter);
    return { wanted, kind: isKnown ? 'short' : 'unproven', mayAsk };
  };

  const adopted = ({ limit, group, periodMs, amount }: AnsweredShare, now: number): SharePlace =>
    find(limit, group) ?? make(createSharePlace(limit, group, periodMs, amount ?? 0n, now));

  /** Whoever was not heard for so long may have lost what it had. */
  const lapse = (): void => {
    for (const place of places()) {
      place.share = 0n;
      place.isUnsure = true;
    }
  };

  return {
    take: (wanted, now, isAgain = false) => {
      const found: SharePlace[] = [];
      let lacking: ShareShortage | null = null;
      for (const each of wanted) {
        const place = placeOf(each, now);
        if (place === null) return { wanted: each, kind: 'crowded', mayAsk: false };
        place.takenAt = now;
        place.most = each.most;
        const isRoom = place.isGone || (now < validUntil && place.use.used(now) + each.amount <= levelOf(place));
        found.push(place);
        if (isRoom) continue;
        // The word that follows tells of all of them, so that one is enough.
        const short = shortage(each, place, now, isAgain);
        if (lacking === null || !short.mayAsk) lacking = short;
      }
      if (lacking !== null) return lacking;
      return found.map((place, index) => {
        const amount = wanted[index]?.amount ?? 0n;
        const mark = place.use.add(amount, now);
        const used = place.use.used(now);
        if (used > place.peak) place.peak = used;
        return { place, mark, amount };
      });
    },
    tell: (now, leaving) => {
      if (isFirst && !leaving) {
        sequence += 1;
        return { sequence, sentAt: now, isFirst, leaving, items: [] };
      }
      const due = [...places()].filter((place) => leaving || isUrgent(place, now) || isChanged(place, now) || isIdle(place, now));
      if (isFirst || limits.size === 0) return null;
      if (due.length > MOST_TOLD) {
        const urgent = new Set(due.filter((place) => isUrgent(place, now)));
        due.sort((one, other) => Number(urgent.has(other)) - Number(urgent.has(one)) || one.toldAt - other.toldAt);
      }
      sequence += 1;
      return {
        sequence,
        sentAt: now,
        isFirst,
        leaving,
        items: due.slice(0, MOST_TOLD).map((place) => (leaving ? lastTellOf(place, now) : tellOf(place, now))),
      };
    },
    answered: (message, answer, now) => {
      if (message.sequence !== sequence || answer.status === 'stale') return;
      if (now >= validUntil) lapse();
      validUntil = message.sentAt + SHARE_FENCE_MS;
      isFirst = false;
      for (const heard of answer.items) {
        const place = adopted(heard, now);
        // What an earlier boot let through just before its end is not known: all it could. Its calls ended with it.
        if (message.isFirst && heard.periodMs !== null) place.use.add(heard.share, now);
        hear(place, heard, now);
        if (place.share === 0n && isIdle(place, now)) forget(place);
      }
    },
    failed: (message) => {
      for (const { limit, group } of message.items) {
        const place = find(limit, group);
        if (place !== undefined) place.isUnsure = true;
      }
    },
    isDue: (now) => places().some((place) => place.recall !== null && keptOf(place, now) < place.share),
    standing: (limit, group, now) => {
      const place = find(limit, group);
      if (place === undefined) return null;
      const { others, most, recall } = place;
      const used = place.use.used(now);
      const level = recall !== null && recall < most - others ? recall : most - others;
      return {
        used,
        others,
        remaining: level > used ? level - used : 0n,
        endsInMs: place.use.freeIn(used, now),
        fitsInMs: (amount) => fitsIn(place, amount, level, now),
      };
    },
    next: () => sequence + 1,
  };
}
