import type { ServerResponse } from 'node:http';

/**
 * The application's side of a relay: whether it is still there, whether it takes what it is sent, and for how long it did not.
 * All times are monotonic milliseconds.
 */
export class ClientSide {
  readonly #response: ServerResponse;
  #isGone = false;
  #isClosed = false;
  #goneAt = 0;
  #drainedBytes = 0;
  #lastWriteAt = 0;
  #stalledSince: number | null = null;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  /** Whether it left before its answer was whole. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Whether it has its answer or is gone: nothing of it need be kept. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** For how long it has been gone. */
  goneForMs(now: number): number {
    return now - this.#goneAt;
  }

  /** For how long it has not taken what waits for it; null = nothing waits. */
  stalledForMs(now: number): number | null {
    return this.#stalledSince === null ? null : now - this.#stalledSince;
  }

  /** For how long it was sent nothing. */
  quietForMs(now: number): number {
    return now - this.#lastWriteAt;
  }

  /** Sends a piece, unless it is gone. False where it does not keep up from now on: then no more is to be fetched for it until {@link caughtUp}. */
  write(bytes: Buffer, now: number): boolean {
    if (this.#isGone || this.#response.destroyed) return true;
    this.#lastWriteAt = now;
    if (this.#response.write(bytes) || this.#stalledSince !== null) return true;
    this.#stalledSince = now;
    return false;
  }

  caughtUp(): void {
    this.#stalledSince = null;
  }

  /** Counts bytes that are read for nobody since it is gone; false where they are more than that. */
  drain(bytes: number, maxBytes: number): boolean {
    this.#drainedBytes += bytes;
    return this.#drainedBytes <= maxBytes;
  }

  /** Its connection, or the answer on it, is over. @returns whether it left by that. */
  close(now: number): boolean {
    this.#isClosed = true;
    if (this.#isGone || this.#response.writableFinished) return false;
    this.#isGone = true;
    this.#goneAt = now;
    this.#stalledSince = null;
    return true;
  }
}
