import type { IncomingMessage } from 'node:http';
import { credentialHeaders, credentialName } from './credential.ts';

/** How much of a body is kept. */
const keptBodyBytes = 65_536;

type Received = {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly bodyBytes: number;
};

/** A received request as `GET /requests/last` shows it. */
export type ReceivedView = {
  readonly method: string;
  readonly url: string;
  /** Names in lower case; a header that came twice has its values joined by a comma. Credentials are shown by name only. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBytes: number;
  /** The body as text, cut off at 64 KiB. */
  readonly bodyText: string;
  /** The body as JSON, or null where it is none or was cut off. */
  readonly body: unknown;
};

/**
 * The latest requests, so that a test can see what reached the provider. Costs one slot in a ring per request; all formatting is done on reading.
 *
 * Bound: `capacity` requests, 64 KiB of body each; the oldest is overwritten.
 */
export class ReceivedRequests {
  readonly #capacity: number;
  readonly #ring: Received[] = [];
  #count = 0;

  constructor(capacity = 64) {
    this.#capacity = capacity;
  }

  remember(request: IncomingMessage, body: Buffer): void {
    this.#ring[this.#count++ % this.#capacity] = {
      method: request.method ?? '',
      url: request.url ?? '',
      rawHeaders: request.rawHeaders,
      // A copy where the body is larger: a slice would keep the whole alive.
      body: body.length <= keptBodyBytes ? body : Buffer.from(body.subarray(0, keptBodyBytes)),
      bodyBytes: body.length,
    };
  }

  /** The latest first, at most `limit`; with `requestId` only those that came with this `x-request-id`. */
  latest(limit: number, requestId: string | null): readonly ReceivedView[] {
    const views: ReceivedView[] = [];
    for (let back = 1; back <= Math.min(this.#count, this.#capacity) && views.length < limit; back++) {
      const received = this.#ring[(this.#count - back) % this.#capacity];
      if (received === undefined) continue;
      const view = viewOf(received);
      if (requestId === null || view.headers['x-request-id'] === requestId) views.push(view);
    }
    return views;
  }
}

function viewOf(received: Received): ReceivedView {
  const headers: Record<string, string> = {};
  for (let index = 0; index + 1 < received.rawHeaders.length; index += 2) {
    const name = (received.rawHeaders[index] ?? '').toLowerCase();
    const text = received.rawHeaders[index + 1] ?? '';
    const value = credentialHeaders.has(name) ? credentialName(text) : text;
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const bodyText = received.body.toString('utf8');
  let body: unknown = null;
  try {
    body = JSON.parse(bodyText);
  } catch {
    // Shown as text only.
  }
  return { method: received.method, url: received.url, headers, bodyBytes: received.bodyBytes, bodyText, body };
}
