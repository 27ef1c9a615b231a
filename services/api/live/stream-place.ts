import type { GapReason, StreamControl } from '../../../schema/graphql/ports/live-streams.ts';
import type { JournalChannel } from './journal-channel.ts';
import type { JournalItem, JournalPages, PassingKind } from './journal-feed.ts';
import type { StreamCursors } from './stream-cursor.ts';

/** Positions a live reader may lag behind before it is told what it missed; up to then it is served from the journal. */
export const mostLag = 10_000n;
/** How long a cursor can be resumed from. */
const resumableMs = 72 * 3_600_000;
const pageSize = 200;

export interface StreamPlaceOptions {
  readonly channel: JournalChannel;
  readonly pages: JournalPages;
  readonly cursors: StreamCursors;
  /** What is streamed, so that its cursors fit nothing else. */
  readonly identity: string;
  readonly epoch: () => string;
  readonly now: () => number;
  /** Where the reader says it was; null: it begins at the head. */
  readonly after: string | null;
  /** Of a kind: nothing else, and none is ever passed over, however far the reader lags: there are few. */
  readonly of: 'everything' | PassingKind;
}

export interface StreamPlace {
  /** The last position that was passed. */
  readonly position: () => bigint;
  readonly cursor: () => string;
  /** Moves to the next item; a gap where items have to be passed over; null where there is nothing new. */
  readonly next: () => Promise<JournalItem | Extract<StreamControl, { kind: 'gap' }> | null>;
  /** Moves to the head without looking at what lies between. */
  readonly skipToHead: () => void;
}

/**
 * Where one reader stands in its organization's journal. Positions are dense, so "the next one" is known: whether it comes
 * from memory or from the database, nothing is lost and nothing comes twice.
 * @throws GraphQLError `BAD_USER_INPUT` where `after` is no cursor of this stream.
 */
export function createStreamPlace(options: StreamPlaceOptions): StreamPlace {
  const { channel, pages, cursors, identity, now } = options;
  const { organizationId } = channel;
  let epoch = options.epoch();
  let position = channel.head;
  let startGap: GapReason | null = null;
  let resuming = false;
  /** Up to here a resumed reader is owed everything, however long it takes. */
  const owedUpTo = channel.head;
  let buffer: readonly JournalItem[] = [];
  let taken = 0;

  if (options.after !== null) {
    const place = cursors.decode(options.after, organizationId, identity);
    // A position beyond the head was given out before a restore that kept the epoch.
    if (place.epoch !== epoch || place.position > channel.head) startGap = 'EPOCH_CHANGED';
    else {
      position = place.position;
      resuming = position < channel.head;
    }
  }
  const cursorAt = (at: bigint): string => cursors.encode({ organizationId, epoch, position: at, identity });

  const skip = (to: bigint, reason: GapReason, dropped: bigint | null): Extract<StreamControl, { kind: 'gap' }> => {
    const from = reason === 'EPOCH_CHANGED' ? null : cursorAt(position);
    position = to;
    buffer = [];
    taken = 0;
    resuming = false;
    return { kind: 'gap', from, to: cursorAt(to), reason, dropped, refetch: reason !== 'SLOW_CONSUMER' };
  };

  const fill = async (): Promise<boolean> => {
    taken = 0;
    const upTo = channel.head;
    const remembered = channel.after(position, pageSize);
    if (remembered !== null) buffer = remembered;
    else if (options.of === 'everything') buffer = await pages.page(position, pageSize);
    else {
      buffer = await pages.pageOf(options.of, { after: position, upTo }, pageSize);
      // Nothing of this kind up to there: what has come since is found by the next look.
      if (buffer.length === 0) position = upTo;
    }
    return buffer.length > 0;
  };

  return {
    position: () => position,
    cursor: () => cursorAt(position),
    skipToHead: () => {
      position = channel.head;
      buffer = [];
      taken = 0;
    },
    next: async () => {
      if (startGap !== null) {
        const reason = startGap;
        startGap = null;
        return skip(channel.head, reason, null);
      }
      if (epoch !== options.epoch()) {
        epoch = options.epoch();
        return skip(channel.head, 'EPOCH_CHANGED', null);
      }
      const lag = channel.head - position;
      if (options.of === 'everything' && lag > mostLag && position >= owedUpTo) return skip(channel.head, 'SLOW_CONSUMER', lag);
      if (taken >= buffer.length && !(await fill())) return null;
      const item = buffer[taken];
      if (item === undefined) return null;
      if (resuming) {
        resuming = false;
        if (item.sequencedAt.getTime() < now() - resumableMs) return skip(channel.head, 'EXPIRED', channel.head - position);
      }
      taken += 1;
      position = item.position;
      return item;
    },
  };
}
