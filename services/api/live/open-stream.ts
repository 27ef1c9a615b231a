import { listIdentity } from '../../../schema/graphql/page.ts';
import type { Permission } from '../../../schema/graphql/permission.ts';
import { allows } from '../../../schema/graphql/permission.ts';
import type { EndReason, StreamControl } from '../../../schema/graphql/ports/live-streams.ts';
import type { Timers } from '../../eventlog/timers.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Random } from '../../runtime/random.ts';
import type { PrincipalWatch } from '../principals.ts';
import type { Drain } from './drain.ts';
import type { JournalChannel } from './journal-channel.ts';
import type { JournalPages, PassingKind } from './journal-feed.ts';
import type { JournalHub } from './journal-hub.ts';
import { createLiveStream } from './live-stream.ts';
import type { StreamCursors } from './stream-cursor.ts';
import type { StreamPlace } from './stream-place.ts';
import { createStreamPlace } from './stream-place.ts';

/** What every stream of one viewer needs. */
export interface StreamSources {
  readonly hub: JournalHub;
  readonly cursors: StreamCursors;
  readonly pages: JournalPages;
  readonly organizationId: string;
  /** Null once the viewer is no longer good. */
  readonly watch: () => PrincipalWatch;
  readonly drain: Drain;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}

export interface StreamDefinition<Event> {
  readonly name: string;
  /** What decides which events it has: part of its cursors' identity. */
  readonly question: unknown;
  /** Each is needed, at every event. */
  readonly permissions: readonly Permission[];
  /** What it is fed from. */
  readonly of: 'everything' | PassingKind;
  readonly after: string | null;
  /** After how long to look again although nothing was booked. */
  readonly waitMs: () => number;
  /** `again`: there may be more at once. */
  readonly step: (
    place: StreamPlace,
    channel: JournalChannel,
  ) => Promise<{ readonly event: Event | StreamControl | null; readonly again: boolean }>;
}

const heartbeatMs = 15_000;
/** Spread over which clients of a stopping server come back, so that they do not all meet the next one at once. */
const comeBackWithinMs = 10_000;
const largestInt = 2 ** 31 - 1;

/**
 * Opens a stream: from here on nothing is missed. Each event is sent only if the viewer is still good and still permitted at
 * that moment, which is what ends a revoked key's streams within a second.
 * @throws GraphQLError `BAD_USER_INPUT` where `after` is no cursor of this stream.
 */
export async function openStream<Event>(
  sources: StreamSources,
  definition: StreamDefinition<Event>,
): Promise<AsyncIterableIterator<Event | StreamControl>> {
  const { hub, clock, drain } = sources;
  const { channel, release } = await hub.attach(sources.organizationId);
  let place: StreamPlace;
  try {
    place = createStreamPlace({
      channel,
      pages: sources.pages,
      cursors: sources.cursors,
      identity: listIdentity(definition.name, definition.question),
      epoch: hub.epoch,
      now: clock.now,
      after: definition.after,
      of: definition.of,
    });
  } catch (error) {
    release();
    throw error;
  }
  const watch = sources.watch();
  /** By the monotonic clock: the other may be set back, and a stream must not fall silent until it has caught up. */
  let lastSentMs = Number.NEGATIVE_INFINITY;

  const endReason = (): EndReason | null => {
    const principal = watch.current();
    if (principal.kind === 'expired') return 'TOKEN_EXPIRED';
    if (principal.kind !== 'known') return 'AUTH_REVOKED';
    if (!definition.permissions.every((asked) => allows(principal.viewer.permissions, asked))) return 'AUTH_REVOKED';
    return drain.draining() ? 'SERVER_DRAIN' : null;
  };

  const { iterator, wake } = createLiveStream<Event | StreamControl>({
    timers: sources.timers,
    step: async () => {
      if (clock.monotonic() - lastSentMs >= heartbeatMs) {
        lastSentMs = clock.monotonic();
        return { kind: 'heartbeat', cursor: place.cursor(), at: new Date(clock.now()), lagMs: Math.min(channel.lagMs, largestInt) };
      }
      const { event, again } = await definition.step(place, channel);
      if (event !== null) lastSentMs = clock.monotonic();
      else if (again) wake();
      return event;
    },
    waitMs: () => Math.max(1, Math.min(definition.waitMs(), lastSentMs + heartbeatMs - clock.monotonic())),
    last: () => {
      const reason = endReason();
      if (reason === null) return null;
      const comesBack = reason === 'SERVER_DRAIN';
      return {
        kind: 'end',
        reason,
        resumeAfter: comesBack ? place.cursor() : null,
        retryAfterMs: comesBack ? Math.round(sources.random.fraction() * comeBackWithinMs) : null,
      };
    },
    onClose: () => {
      for (const stop of stops) stop();
    },
  });
  const stops = [channel.follow(wake), watch.onChange(wake), drain.onDrain(wake), watch.release, release];
  return iterator;
}
