import type { Timers } from '../../eventlog/timers.ts';
import { systemTimers } from '../../eventlog/timers.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { JournalChannel } from './journal-channel.ts';
import type { JournalFeed } from './journal-feed.ts';

/** Safety net under the wake-up: a notification can be lost with its connection. */
const pollMs = 1_000;
const pageSize = 500;

export interface JournalHub {
  /** Follows an organization from its present head on. Released with the last one who does. */
  readonly attach: (organizationId: string) => Promise<{ readonly channel: JournalChannel; readonly release: () => void }>;
  readonly epoch: () => string;
  /** How many organizations are followed. */
  readonly channels: () => number;
  /** How old the newest item of the last page was when it was read; 0 while nothing is followed. */
  readonly lagMs: () => number;
  readonly stop: () => Promise<void>;
}

/**
 * The one reader of the sequenced journal in this process. It follows only organizations that somebody here listens to, one
 * page after the other, each within its own tenant's transaction.
 */
export async function createJournalHub(options: {
  readonly feed: JournalFeed;
  readonly clock: Clock;
  /** Where waiting happens; the event loop's own unless a simulation says otherwise. */
  readonly timers?: Timers;
  readonly log: Log;
}): Promise<JournalHub> {
  const { feed, clock, timers = systemTimers, log } = options;
  const stopping = new AbortController();
  /** Counted by those who asked, before they got it: a channel must not vanish between the two. */
  const channels = new Map<string, { readonly pending: Promise<JournalChannel>; users: number }>();
  const pagesOf = (organizationId: string) => feed.of(organizationId, stopping.signal);
  let epoch = await feed.epoch(stopping.signal);
  let looking: Promise<void> | null = null;
  let lookAgain = false;
  let epochInDoubt = false;
  let lagMs = 0;

  const advance = async (followed: { readonly pending: Promise<JournalChannel>; readonly users: number }): Promise<void> => {
    const channel = await followed.pending;
    const pages = pagesOf(channel.organizationId);
    for (let full = true; full && !stopping.signal.aborted && followed.users > 0; ) {
      const items = await pages.page(channel.head, pageSize);
      channel.append(items, clock.now());
      if (items.length > 0) lagMs = channel.lagMs;
      full = items.length === pageSize;
    }
  };

  const checkEpoch = async (): Promise<void> => {
    const now = await feed.epoch(stopping.signal);
    epochInDoubt = false;
    if (now === epoch) return;
    log.warn({ from: epoch, to: now }, 'the journal has a new epoch: streams start anew');
    epoch = now;
    for (const { pending } of channels.values()) {
      const channel = await pending;
      channel.reset(await pagesOf(channel.organizationId).head());
    }
  };

  const lookOnce = async (): Promise<void> => {
    if (epochInDoubt) await checkEpoch();
    for (const followed of channels.values()) await advance(followed);
  };

  /** One look at a time; a wake-up during one makes another follow it. */
  const look = (): void => {
    if (stopping.signal.aborted) return;
    lookAgain = true;
    looking ??= (async () => {
      while (lookAgain && !stopping.signal.aborted) {
        lookAgain = false;
        await lookOnce().catch((error: unknown) => {
          if (!stopping.signal.aborted) log.warn({ error }, 'the journal could not be read; trying again');
        });
      }
      looking = null;
    })();
  };

  const listener = feed.listen((reconnected) => {
    // A new connection may be one to a server that was restored.
    if (reconnected) epochInDoubt = true;
    look();
  });
  let cancelPoll = (): void => {};
  const poll = (): void => {
    if (channels.size > 0) look();
    cancelPoll = timers.after(pollMs, poll);
  };
  cancelPoll = timers.after(pollMs, poll);

  return {
    attach: async (organizationId) => {
      let followed = channels.get(organizationId);
      if (followed === undefined) {
        const pending = pagesOf(organizationId)
          .head()
          .then((head) => new JournalChannel(organizationId, head));
        followed = { pending, users: 0 };
        channels.set(organizationId, followed);
      }
      const own = followed;
      own.users += 1;
      let released = false;
      const release = (): void => {
        if (released) return;
        released = true;
        own.users -= 1;
        if (own.users === 0 && channels.get(organizationId) === own) channels.delete(organizationId);
      };
      try {
        return { channel: await own.pending, release };
      } catch (error) {
        release();
        throw error;
      }
    },
    epoch: () => epoch,
    channels: () => channels.size,
    lagMs: () => (channels.size === 0 ? 0 : lagMs),
    stop: async () => {
      stopping.abort();
      cancelPoll();
      await listener.stop();
      await looking;
    },
  };
}
