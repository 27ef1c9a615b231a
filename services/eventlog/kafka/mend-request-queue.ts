import { createRequire } from 'node:module';

type RequestQueue = {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
};

/** How soon kafkajs looks again when too many requests are in flight. Its own number. */
const LOOK_AGAIN_MS = 10;

/**
 * Mends the request queue of kafkajs 2.2.4, which computes its next look at what is pending as "throttled until" (-1) minus now,
 * and looks even when nothing is pending: Node 24 warns of each negative delay (TimeoutNegativeWarning, tulios/kafkajs#1751), and
 * every idle connection wakes once a millisecond for good (#1704). Both go when no look is scheduled while nothing is pending:
 * whoever enqueues a request schedules one. The one method is replaced; muting Node's warnings would hide those of others.
 * @throws when kafkajs is no longer the one this was written for.
 */
export function mendRequestQueue(): void {
  const loaded: unknown = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js');
  const prototype: unknown = typeof loaded === 'function' ? loaded.prototype : null;
  if (!isRequestQueue(prototype)) throw new Error('kafkajs has another request queue: see services/eventlog/kafka/mend-request-queue.ts');
  prototype.scheduleCheckPendingRequests = function scheduleCheckPendingRequests(this: RequestQueue): void {
    if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return;
    const throttledMs = this.throttledUntil - Date.now();
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      throttledMs > 0 ? throttledMs : LOOK_AGAIN_MS,
    );
  };
}

/** What only instances have (`pending`, `throttledUntil`) is taken on the word of the pinned version. */
function isRequestQueue(value: unknown): value is RequestQueue {
  return (
    typeof value === 'object' &&
    value !== null &&
    'scheduleCheckPendingRequests' in value &&
    typeof value.scheduleCheckPendingRequests === 'function' &&
    'checkPendingRequests' in value &&
    typeof value.checkPendingRequests === 'function'
  );
}
