import { badInput } from './bad-input.ts';
import { builder } from './builder.ts';
import type { RequestEvent } from './ports/live-streams.ts';
import { Request } from './request.ts';
import { parseRequestFilter, RequestFilterInput } from './request-filter.ts';
import { controlTypeOf, StreamEnd, StreamGap, StreamHeartbeat } from './stream.ts';

const RequestBooked = builder.objectRef<RequestEvent>('RequestBooked').implement({
  description: 'A request was booked.',
  fields: (t) => ({
    cursor: t.expose('cursor', { type: 'Cursor' }),
    seq: t.expose('position', { type: 'BigInt', description: "Its position in the organization's journal: dense and growing." }),
    request: t.field({ type: Request, resolve: ({ entry }) => entry }),
  }),
});

const RequestStream = builder.unionType('RequestStream', {
  types: [RequestBooked, StreamHeartbeat, StreamGap, StreamEnd],
  resolveType: (event) => (event.kind === 'request' ? 'RequestBooked' : controlTypeOf(event)),
});

builder.subscriptionFields((t) => ({
  requestTail: t.field({
    type: RequestStream,
    description: 'Requests as they are booked. A reader that lags is told what it missed; one that resumes misses nothing.',
    authScopes: { permission: 'request:read' },
    args: {
      filter: t.arg({ type: RequestFilterInput, required: true }),
      sampleRate: t.arg.float({
        required: true,
        defaultValue: 1,
        description: 'Share of requests to see, above 0 and at most 1; the same requests for everybody.',
      }),
      after: t.arg({ type: 'Cursor' }),
    },
    subscribe: (_root, { filter, sampleRate, after }, context) => {
      if (!(sampleRate > 0 && sampleRate <= 1)) throw badInput('`sampleRate` is above 0 and at most 1.');
      return context.live.requestTail({
        filter: parseRequestFilter(filter) ?? { kind: 'and', parts: [] },
        sampleRate,
        after: after ?? null,
      });
    },
    resolve: (event) => event,
  }),
}));
