import { GatewayError } from '../../../schema/errors.ts';
import type { HeldBytes } from '../held-bytes.ts';
import type { BodySink } from '../http/incoming-request.ts';
import type { CrowdMember } from '../relay/crowd.ts';
import { CollectedBytes } from './collected-bytes.ts';

/** What is read and thrown away of a body that is too large, so that the client hears the answer instead of a reset. */
const DISCARD_FACTOR = 4;

/** One body on its way in: collects its bytes within their limit, until it is whole or given up. */
export class ArrivingBody<T> implements BodySink, CrowdMember {
  crowdPosition = -1;
  /** What its reader needs to know of it. */
  readonly ticket: T;
  /** Monotonic milliseconds at which it must be whole. */
  readonly deadline: number;
  readonly #maxBytes: number;
  readonly #held: HeldBytes;
  #heldBytes = 0;
  readonly #onOver: (body: ArrivingBody<T>, error: GatewayError | null) => void;
  readonly #collected: CollectedBytes;
  #receivedBytes = 0;
  #isOver = false;

  /** @param announcedBytes what its sender said that it has; 0: nothing. @param onOver told once: null when the body is whole, else why there is none. */
  constructor(
    ticket: T,
    deadline: number,
    maxBytes: number,
    announcedBytes: number,
    held: HeldBytes,
    onOver: (body: ArrivingBody<T>, error: GatewayError | null) => void,
  ) {
    this.ticket = ticket;
    this.deadline = deadline;
    this.#maxBytes = maxBytes;
    this.#held = held;
    this.#collected = new CollectedBytes(announcedBytes);
    this.#onOver = onOver;
  }

  /** What came; the body, once it is whole. */
  get bytes(): Buffer {
    return this.#collected.bytes;
  }

  onBodyData(chunk: Buffer): void {
    if (this.#isOver) return;
    // Collected it has no bytes any more.
    const bytes = chunk.length;
    this.#receivedBytes += bytes;
    if (this.#isTooLarge()) {
      this.#drop();
      if (this.#receivedBytes > this.#maxBytes * DISCARD_FACTOR) this.#end(new GatewayError('request_too_large'));
      return;
    }
    this.#collected.add(chunk);
    this.#heldBytes += bytes;
    this.#held.add(bytes);
    // The rest may come and is passed over: a connection cut under what still comes would take the answer with it.
    if (this.#held.isFull) this.#end(new GatewayError('overloaded'));
  }

  /** Lets go of what came: whoever goes on with it counts it as his own. */
  letGo(): void {
    this.#held.remove(this.#heldBytes);
    this.#heldBytes = 0;
  }

  onBodyEnd(): void {
    this.#end(this.#isTooLarge() ? new GatewayError('request_too_large') : null);
  }

  onBodyGone(): void {
    this.#end(new GatewayError('client_closed_request'));
  }

  /** Its time is over. */
  expire(): void {
    this.#end(new GatewayError(this.#isTooLarge() ? 'request_too_large' : 'request_timeout'));
  }

  /** Gives it up, because the process stops. */
  abandon(): void {
    this.#end(new GatewayError('not_ready'));
  }

  #drop(): void {
    this.#collected.clear();
    this.letGo();
  }

  #isTooLarge(): boolean {
    return this.#receivedBytes > this.#maxBytes;
  }

  #end(error: GatewayError | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error !== null) this.#drop();
    this.#onOver(this, error);
  }
}
