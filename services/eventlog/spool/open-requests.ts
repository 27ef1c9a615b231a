import type { OpenRequest } from './spool-recovery.ts';

/** The open requests of a spool, by id. */
export interface OpenRequests {
  readonly size: number;
  get(requestId: string): OpenRequest | undefined;
  /** The id must not be in it. */
  add(requestId: string, request: OpenRequest): void;
  delete(requestId: string): void;
  /** Those in it now, in no order. */
  entries(): readonly (readonly [string, OpenRequest])[];
}

type Entry = readonly [requestId: string, request: OpenRequest];

/** With the most open requests a spool takes, ten to a bucket. */
const BUCKETS = 1_024;

/**
 * A hash table of fixed size. Not a `Map`: V8 gives a map a new table every few additions and links each old table to the
 * next; once one dead table is in the old generation, that chain keeps every later one and what is in it alive through each
 * young collection, which promoted every request.
 */
export function createOpenRequests(initial: Iterable<Entry>): OpenRequests {
  const buckets: Entry[][] = Array.from({ length: BUCKETS }, () => []);
  let size = 0;
  const bucketOf = (requestId: string): Entry[] => buckets[hashOf(requestId) % BUCKETS] ?? [];

  const add = (requestId: string, request: OpenRequest): void => {
    bucketOf(requestId).push([requestId, request]);
    size += 1;
  };
  for (const [requestId, request] of initial) add(requestId, request);

  return {
    get size() {
      return size;
    },
    get: (requestId) => bucketOf(requestId).find(([known]) => known === requestId)?.[1],
    add,
    delete: (requestId) => {
      const bucket = bucketOf(requestId);
      const at = bucket.findIndex(([known]) => known === requestId);
      if (at < 0) return;
      const last = bucket.pop();
      if (last !== undefined && at < bucket.length) bucket[at] = last;
      size -= 1;
    },
    entries: () => buckets.flat(),
  };
}

/** Over the last characters, which are random in an id of ours. */
function hashOf(requestId: string): number {
  let hash = 0;
  for (let at = Math.max(0, requestId.length - 4); at < requestId.length; at++) hash = (hash * 33 + requestId.charCodeAt(at)) >>> 0;
  return hash;
}
