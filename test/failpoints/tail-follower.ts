import { print } from 'graphql';
import type { Endpoints } from '../../services/cli/start/endpoints.ts';
import { RequestTailDocument } from '../generated/graphql/graphql.ts';
import { eventually } from '../harness/eventually.ts';
import type { SseStream } from '../harness/graphql-sse.ts';
import { openSse } from '../harness/graphql-sse.ts';

type Event = { readonly __typename: string; readonly cursor?: string; readonly request?: { readonly id: string } };

export type TailFollower = {
  /** Ids of the requests that were told, in order; an id told twice stands there twice. */
  readonly told: () => readonly string[];
  /** What came beside requests and heartbeats: there should be nothing. */
  readonly strange: () => readonly unknown[];
  readonly stop: () => Promise<void>;
};

const reconnectMs = 100;

/** Follows the requests that are booked, as an application does: whenever the stream breaks it comes back with its cursor. */
export async function followTail(endpoints: Endpoints): Promise<TailFollower> {
  const query = print(RequestTailDocument);
  const told: string[] = [];
  const strange: unknown[] = [];
  let after: string | null = null;
  let stopping = false;
  let stream: SseStream<Event> | null = null;

  const take = ({ messages }: SseStream<Event>, from: number): void => {
    for (const { event } of messages.slice(from)) {
      if (event.request !== undefined) told.push(event.request.id);
      // A goodbye is what a stream ends with when its server stops in order.
      else if (!['StreamHeartbeat', 'StreamEnd'].includes(event.__typename)) strange.push(event);
      after = event.cursor ?? after;
    }
  };
  const follow = async (): Promise<void> => {
    while (!stopping) {
      const opened: SseStream<Event> | null = await openSse<Event>(endpoints.graphqlUrl, endpoints.adminKey, query, {
        filter: {},
        after,
      }).catch(() => null);
      stream = opened;
      let taken = 0;
      for (let open = opened !== null; open && opened !== null; ) {
        open = await Promise.race([opened.ended.then(() => false), pause(reconnectMs).then(() => true)]);
        const all = opened.messages.length;
        take(opened, taken);
        taken = all;
      }
      strange.push(...(opened?.errors ?? []));
      await pause(reconnectMs);
    }
  };
  const following = follow();
  await eventually(() => after, 15_000);
  return {
    told: () => told,
    strange: () => strange,
    stop: async () => {
      stopping = true;
      stream?.hangUp();
      await following;
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
