import type { PassFailpoint } from '../../runtime/failpoints/failpoints.ts';
import type { JournalFeed } from './journal-feed.ts';

/** A feed that passes the failpoints of the journal's tail. */
export function createFailpointFeed(feed: JournalFeed, pass: PassFailpoint): JournalFeed {
  return {
    ...feed,
    of: (organizationId, signal) => {
      const pages = feed.of(organizationId, signal);
      return {
        ...pages,
        page: async (after, limit) => {
          pass('api.tail.read');
          const items = await pages.page(after, limit);
          if (items.length > 0) pass('api.tail.page');
          return items;
        },
      };
    },
    listen: (onWake) =>
      feed.listen((reconnected) => {
        pass('api.tail.woken');
        onWake(reconnected);
      }),
  };
}
