import type { Timers } from '../../eventlog/timers.ts';
import type { Log } from '../../runtime/log.ts';
import type { ShareShortage, ShareStanding, ShareWanted, TakenShare } from './share-book.ts';
import { createShareBook } from './share-book.ts';
import type { ShareDatabase } from './share-database.ts';
import type { ShareMessage } from './share-protocol.ts';

export interface ShareNodeOptions {
  readonly database: ShareDatabase;
  /** Milliseconds that only grow, through suspension too. */
  readonly now: () => number;
  readonly timers: Timers;
  readonly log: Log;
  /** How long a request waits at most for a word with the database. */
  readonly waitMs: number;
}

/** Told once, in the same turn or within the wait: what was taken, in the order of what was wanted, or why not. */
export type OnShares = (taken: readonly TakenShare[] | null, shortage: ShareShortage | null) => void;

/** The shares of this process, and its word with the database about them. */
export interface ShareNode {
  begin(): void;
  /** Takes all or none; where there is no room here, and a word with the database may bring some, once that is answered. */
  take(wanted: readonly ShareWanted[], onShares: OnShares): void;
  /** A request is over: what each was used of, in the order they were taken in. */
  settle(taken: readonly TakenShare[], costs: readonly bigint[]): void;
  standing(limit: string, group: string): ShareStanding | null;
  /** Says the last word, once no request runs any more; nothing after the deadline. */
  stop(deadlineMs: number): Promise<void>;
}

/** While it has any shares. What nobody uses comes back within three of them. */
const BEAT_MS = 500;
/** Requests that wait for a word; one more is refused. */
const MOST_WAITING = 1_000;

interface Waiting {
  readonly wanted: readonly ShareWanted[];
  readonly onShares: OnShares;
  /** The first word that tells of it. */
  readonly toldBy: number;
}

export function createShareNode({ database, now, timers, log, waitMs }: ShareNodeOptions): ShareNode {
  const book = createShareBook();
  const waiting = new Set<Waiting>();
  const cancels = new Set<() => void>();
  let isTelling = false;
  let isGathering = false;
  let isAway = false;
  let ended = false;
  let whenSilent: () => void = () => {};

  const later = (delayMs: number, act: () => void): (() => void) => {
    const cancel = timers.after(delayMs, () => {
      cancels.delete(cancel);
      if (!ended) act();
    });
    cancels.add(cancel);
    return () => {
      cancels.delete(cancel);
      cancel();
    };
  };

  const tell = (leaving = false): void => {
    if (isTelling || (ended && !leaving)) return;
    const message = book.tell(now(), leaving);
    if (message === null) return;
    isTelling = true;
    database
      .tell(message)
      .then(
        (answer) => {
          if (isAway) log.info('the database answers for shares of rate limits again');
          isAway = false;
          book.answered(message, answer, now());
          return answer.status === 'told';
        },
        (error: unknown) => {
          if (!isAway && message.items.length > 0) log.warn({ error }, 'the database does not answer for shares of rate limits');
          isAway = true;
          book.failed(message);
          return false;
        },
      )
      .then((isHeard) => {
        isTelling = false;
        whenSilent();
        serve(message, isHeard);
        if (waiting.size > 0 || book.isDue(now())) tell();
      })
      .catch((error: unknown) => log.error({ error }, 'a fault of the gateway while sharing rate limits'));
  };

  /** Whom the word told of it has an answer for; who came later waits for the next. */
  const serve = ({ sequence, isFirst }: ShareMessage, isHeard: boolean): void => {
    for (const waiter of waiting) {
      const taken = book.take(waiter.wanted, now(), true);
      const isShort = 'kind' in taken;
      if (isShort && (waiter.toldBy > sequence || (isFirst && isHeard))) continue;
      waiting.delete(waiter);
      if (isShort) waiter.onShares(null, taken);
      else waiter.onShares(taken, null);
    }
  };

  /** At the end of the turn, so that one word tells of all its requests. */
  const tellSoon = (): void => {
    if (isGathering || isTelling) return;
    isGathering = true;
    timers.endOfTurn(() => {
      isGathering = false;
      tell();
    });
  };

  const beat = (): void => {
    tell();
    later(BEAT_MS, beat);
  };

  return {
    begin: beat,
    take: (wanted, onShares) => {
      const taken = book.take(wanted, now());
      if (!('kind' in taken)) return onShares(taken, null);
      if (!taken.mayAsk || isAway || ended || waiting.size >= MOST_WAITING) return onShares(null, taken);
      const waiter: Waiting = {
        wanted,
        toldBy: book.next(),
        onShares: (...answer) => {
          cancel();
          onShares(...answer);
        },
      };
      const cancel = later(waitMs, () => {
        if (waiting.delete(waiter)) onShares(null, { ...taken, kind: 'unproven' });
      });
      waiting.add(waiter);
      tellSoon();
    },
    settle: (taken, costs) => {
      const at = now();
      for (const [index, { place, mark, amount }] of taken.entries()) place.use.settle(mark, amount, costs[index] ?? amount, at);
    },
    standing: (limit, group) => book.standing(limit, group, now()),
    stop: async (deadlineMs) => {
      ended = true;
      for (const cancel of cancels) cancel();
      cancels.clear();
      for (const { onShares, wanted } of waiting)
        onShares(null, wanted[0] === undefined ? null : { wanted: wanted[0], kind: 'unproven', mayAsk: false });
      waiting.clear();
      await new Promise<void>((resolve) => {
        const cancel = timers.after(deadlineMs, () => {
          // Its connections may be closed from now on.
          whenSilent = () => {};
          resolve();
        });
        const done = (): void => {
          cancel();
          resolve();
        };
        const sayLast = (): void => {
          whenSilent = done;
          tell(true);
          if (!isTelling) done();
        };
        if (isTelling) whenSilent = sayLast;
        else sayLast();
      });
    },
  };
}
