import { setTimeout as wait } from 'node:timers/promises';
import { openSse } from '../harness/graphql-sse.ts';

const query = `subscription ($after: Cursor) { requestTail(filter: {}, after: $after) { __typename
  ... on RequestBooked { cursor seq request { id } } ... on StreamHeartbeat { cursor }
  ... on StreamGap { reason dropped } ... on StreamEnd { reason resumeAfter } } }`;

type TailEvent = {
  readonly __typename: string;
  readonly cursor?: string;
  readonly seq?: string;
  readonly reason?: string;
  readonly dropped?: string | null;
  readonly resumeAfter?: string | null;
  readonly request?: { readonly id: string };
};

/** One reader of requestTail that never gives up: whatever ends its stream, it goes on from its last cursor, at another api. */
export type Subscriber = {
  /** All it was told of, in the order it came: position and request. */
  readonly received: readonly { readonly position: bigint; readonly requestId: string }[];
  /** Whatever it should not have been told, such as a gap. */
  readonly complaints: readonly string[];
  readonly connections: () => number;
  /** Answers that said why a stream could not go on. */
  readonly errors: () => number;
  /** Resolves once it has been accepted for the first time. */
  readonly opened: Promise<void>;
  readonly stop: () => Promise<void>;
};

/** A stream says something every 15 s at least; a frozen api or a dead line says nothing. */
const silenceMs = 20_000;
/** It goes on at the other api now and then, even where nothing ends its stream. */
const stayMs = 10_000;
const lookMs = 25;
const reconnectMs = 200;

export function startSubscriber(options: {
  readonly graphqlUrls: readonly string[];
  readonly adminKey: string;
  readonly onSeen?: (requestId: string) => void;
}): Subscriber {
  const received: { position: bigint; requestId: string }[] = [];
  const complaints: string[] = [];
  const opened = Promise.withResolvers<void>();
  let stopped = false;
  let connections = 0;
  let errors = 0;
  let after: string | null = null;

  const take = (event: TailEvent): void => {
    if (event.request !== undefined && event.seq !== undefined) {
      received.push({ position: BigInt(event.seq), requestId: event.request.id });
      options.onSeen?.(event.request.id);
    } else if (event.__typename === 'StreamGap') {
      complaints.push(`a gap: ${event.reason}, ${event.dropped} dropped`);
    } else if (!['StreamHeartbeat', 'StreamEnd'].includes(event.__typename)) {
      complaints.push(`nothing it asked for: ${JSON.stringify(event)}`);
    }
    after = event.cursor ?? event.resumeAfter ?? after;
  };

  const read = async (url: string): Promise<void> => {
    const stream = await openSse<TailEvent>(url, options.adminKey, query, { after });
    if (stream.status !== 200) return;
    connections += 1;
    let ended = false;
    void stream.ended.then(() => {
      ended = true;
    });
    let taken = 0;
    const openedMs = performance.now();
    let heardMs = openedMs;
    for (;;) {
      const isOver = ended || stopped || performance.now() - heardMs > silenceMs || performance.now() - openedMs > stayMs;
      for (; taken < stream.messages.length; taken++) {
        const message = stream.messages[taken];
        if (message === undefined) break;
        take(message.event);
        heardMs = message.atMs;
        opened.resolve();
      }
      if (isOver) break;
      await wait(lookMs);
    }
    // Such as a database that is away: the stream ends with it, and the next one goes on.
    errors += stream.errors.length;
    stream.hangUp();
  };

  const run = async (): Promise<void> => {
    for (let turn = 0; !stopped; turn++) {
      await read(options.graphqlUrls[turn % options.graphqlUrls.length] ?? '').catch(() => {});
      if (!stopped) await wait(reconnectMs);
    }
  };
  const running = run();
  return {
    received,
    complaints,
    connections: () => connections,
    errors: () => errors,
    opened: opened.promise,
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}
