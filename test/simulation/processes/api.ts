import { createSecretKey } from 'node:crypto';
import type { RequestEvent, StreamControl } from '../../../schema/graphql/ports/live-streams.ts';
import { createDrain } from '../../../services/api/live/drain.ts';
import type { JournalFeed } from '../../../services/api/live/journal-feed.ts';
import { createJournalHub } from '../../../services/api/live/journal-hub.ts';
import { createRequestTail } from '../../../services/api/live/request-tail.ts';
import { createStreamCursors } from '../../../services/api/live/stream-cursor.ts';
import type { Log } from '../../../services/runtime/log.ts';
import type { Life } from '../life.ts';

export type Tail = AsyncIterableIterator<RequestEvent | StreamControl>;

/** An api node, as far as its subscriptions go. */
export interface Api {
  tail(organizationUuid: string, after: string | null): Promise<Tail>;
}

/** The same in every node, as the real one is derived from the master key. */
const cursorKey = createSecretKey(Buffer.alloc(32, 7));

/** @throws what the product throws when it cannot start. */
export async function startApi(options: { readonly life: Life; readonly feed: JournalFeed; readonly log: Log }): Promise<Api> {
  const { life, feed, log } = options;
  const { clock, timers, random } = life;
  const hub = await createJournalHub({ feed, clock, timers, log });
  const cursors = createStreamCursors(cursorKey);
  const drain = createDrain();
  const stopping = new AbortController();
  return {
    tail: (organizationId, after) => {
      const viewer = {
        apiKeyId: '',
        organizationId,
        name: 'subscriber',
        permissions: ['request:read'],
        expiresAt: null,
        allowedCidrs: null,
      };
      return createRequestTail(
        {
          hub,
          cursors,
          pages: feed.of(organizationId, stopping.signal),
          organizationId,
          watch: () => ({ current: () => ({ kind: 'known', viewer }), onChange: () => () => {}, release: () => {} }),
          drain,
          clock,
          timers,
          random,
        },
        { filter: { kind: 'and', parts: [] }, sampleRate: 1, after },
      );
    },
  };
}
