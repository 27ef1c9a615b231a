import { createRunningUse } from './running-use.ts';
import type { AnsweredShare, ToldShare } from './share-protocol.ts';
import { createSlidingUse } from './sliding-use.ts';
import type { UseOfLimit } from './use-of-limit.ts';

/** Without a request for this long, a share is given back whole. */
const IDLE_MS = 10_000;
/** After an answer with less than is wanted, it is asked for out of turn no sooner. */
const ASK_AGAIN_MS = 250;
/** What found no room is told for at least this long: others look for it twice a second. */
const WANT_MS = 1_500;

/** What one process has of one limit for one group. */
export interface SharePlace {
  readonly limit: string;
  readonly group: string;
  readonly use: UseOfLimit;
  /** Of the limit, as last heard. */
  most: bigint;
  /** At least this much of the limit is nobody else's. */
  share: bigint;
  /** What it should come down to; null: nobody else is short. */
  recall: bigint | null;
  others: bigint;
  /** The limit is no more: it holds nobody up. */
  isGone: boolean;
  /** Most that was used since the last word about it. */
  peak: bigint;
  /** What found no room since then, all together and the largest. */
  lacking: bigint;
  need: bigint;
  want: bigint;
  /** When a request last found no room. */
  wantedAt: number;
  takenAt: number;
  /** No sooner is it asked for out of turn. */
  askAfter: number;
  /** The last word about it is to be repeated, whatever it says. */
  isUnsure: boolean;
  toldAt: number;
  toldUsed: bigint;
  toldWant: bigint;
}

export function createSharePlace(limit: string, group: string, periodMs: number | null, most: bigint, now: number): SharePlace {
  return {
    limit,
    group,
    use: periodMs === null ? createRunningUse() : createSlidingUse(periodMs),
    most,
    share: 0n,
    recall: null,
    others: 0n,
    isGone: false,
    peak: 0n,
    lacking: 0n,
    need: 0n,
    want: 0n,
    wantedAt: Number.NEGATIVE_INFINITY,
    takenAt: now,
    askAfter: 0,
    isUnsure: false,
    toldAt: Number.NEGATIVE_INFINITY,
    toldUsed: 0n,
    toldWant: 0n,
  };
}

/** What requests may use of it together. */
export function levelOf({ share, recall, most }: SharePlace): bigint {
  return least(share, least(recall ?? share, most));
}

export function isIdle(place: SharePlace, now: number): boolean {
  return now - place.takenAt >= IDLE_MS && place.use.used(now) === 0n;
}

/** Whether others wait for what this process says of it. */
export function isUrgent(place: SharePlace, now: number): boolean {
  return place.lacking > 0n || place.recall !== null || keptOf(place, now) < place.share;
}

/** Whether what was last said of it is no more true. */
export function isChanged(place: SharePlace, now: number): boolean {
  return place.isUnsure || place.toldUsed !== place.use.used(now) || place.toldWant !== wantOf(place, now);
}

/** What can be said of it without a request losing its room: what is used is kept as long as it counts. */
export function keptOf(place: SharePlace, now: number): bigint {
  if (place.isGone || isIdle(place, now)) return 0n;
  return least(place.share, most(levelOf(place), place.use.used(now)));
}

function demandOf(place: SharePlace, now: number): bigint {
  return least(place.most, most(place.peak, place.use.used(now)) + place.lacking);
}

/** The demand, or that of just before where it found no room: who can make some is to hear of it. */
function wantOf(place: SharePlace, now: number): bigint {
  if (isIdle(place, now)) return 0n;
  const demand = demandOf(place, now);
  return now - place.wantedAt < WANT_MS ? most(place.want, demand) : demand;
}

/** The word about it; its share is what is kept from now on, whether or not the word arrives. */
export function tellOf(place: SharePlace, now: number): ToldShare {
  const used = place.use.used(now);
  const want = wantOf(place, now);
  if (place.lacking > 0n) place.wantedAt = now;
  place.want = want;
  place.share = keptOf(place, now);
  const { limit, group, share, need } = place;
  const ask = least(place.most, 2n * want);
  place.peak = used;
  place.lacking = 0n;
  place.need = 0n;
  place.toldAt = now;
  place.toldUsed = used;
  place.toldWant = want;
  place.isUnsure = false;
  return { limit, group, keep: share, used, want, need: least(need, place.most), ask };
}

/** The last word of a process about it: nothing is wanted any more, and only what was used just now is kept. */
export function lastTellOf(place: SharePlace, now: number): ToldShare {
  place.recall = 0n;
  place.takenAt = Number.NEGATIVE_INFINITY;
  // For what still counts more would be given, which nobody could have until the process is given up.
  return { ...tellOf(place, now), want: 0n, need: 0n, ask: 0n };
}

export function hear(place: SharePlace, { share, others, amount, recall }: AnsweredShare, now: number): void {
  place.askAfter = share < place.want ? now + ASK_AGAIN_MS : 0;
  place.share = share;
  place.recall = recall;
  place.isGone = amount === null;
  if (others !== null) place.others = others;
  if (amount !== null) place.most = amount;
}

/** After how many milliseconds what was used here leaves room for so much within the level: what others have does not come back by waiting for that. */
export function fitsIn({ use }: SharePlace, amount: bigint, level: bigint, now: number): number {
  const used = use.used(now);
  const shortage = used + amount - level;
  return shortage <= 0n ? 0 : use.freeIn(least(shortage, used), now);
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

function most(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
