import { createHash } from 'node:crypto';
import type { LiveStreams, RequestEvent, StreamControl } from '../../../schema/graphql/ports/live-streams.ts';
import { matchesRequestFilter } from '../request-filter-match.ts';
import type { StreamSources } from './open-stream.ts';
import { openStream } from './open-stream.ts';

/** Most journal items looked at in one step, so that a filter that lets nothing through still lets others run. */
const itemsPerStep = 500;

/** The same requests for everybody, at any rate: those of a smaller share are among those of a larger. */
export function isSampled(requestId: string, sampleRate: number): boolean {
  if (sampleRate >= 1) return true;
  return createHash('sha256').update(requestId).digest().readUInt32BE() < sampleRate * 2 ** 32;
}

/** `requestTail`: usage entries of the journal in its order. */
export function createRequestTail(
  sources: StreamSources,
  input: Parameters<LiveStreams['requestTail']>[0],
): Promise<AsyncIterableIterator<RequestEvent | StreamControl>> {
  const { filter, sampleRate, after } = input;
  return openStream<RequestEvent>(sources, {
    name: 'requestTail',
    question: [filter, sampleRate],
    permissions: ['request:read'],
    of: 'everything',
    after,
    waitMs: () => Number.POSITIVE_INFINITY,
    step: async (place) => {
      for (let looked = 0; looked < itemsPerStep; looked++) {
        const item = await place.next();
        if (item === null) return { event: null, again: false };
        if ('kind' in item) return { event: item, again: true };
        if (item.usage !== null && isSampled(item.usage.request_id, sampleRate) && matchesRequestFilter(filter, item.usage)) {
          return { event: { kind: 'request', cursor: place.cursor(), position: item.position, entry: item.usage }, again: true };
        }
      }
      return { event: null, again: true };
    },
  });
}
