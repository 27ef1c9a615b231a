import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { UpstreamFailureKind } from './upstream-failure.ts';
import { upstreamFailureKind } from './upstream-failure.ts';

/** What a call reports to. Exactly one of `onUpstreamEnd` and `onUpstreamFailure` comes, and it comes last; after {@link UpstreamCall.abort} nothing comes. */
export interface UpstreamReceiver {
  onUpstreamHead(status: number, headers: IncomingHttpHeaders): void;
  onUpstreamData(chunk: Buffer): void;
  onUpstreamEnd(): void;
  onUpstreamFailure(kind: UpstreamFailureKind, error: Error): void;
}

const ABORTED = new Error('the gateway ended the call');

/**
 * One call to a provider: the one class through which undici's callbacks come in (performance.md rule 1: undici 7 and 8 name
 * them differently, so nobody else implements them).
 */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  /** Whether the request was handed to a connection: from here on the provider may have seen it. */
  sent = false;
  #receiver: UpstreamReceiver | null;
  #controller: Dispatcher.DispatchController | null = null;
  #onSettled: () => void;
  #settled = false;

  /** @param onSettled runs once, when the connection is free or gone. */
  constructor(receiver: UpstreamReceiver, onSettled: () => void) {
    this.#receiver = receiver;
    this.#onSettled = onSettled;
  }

  /** Ends the call: its connection is closed, and nothing more is reported. */
  abort(): void {
    if (this.#receiver === null) return;
    this.#receiver = null;
    // Still waiting for a connection: onRequestStart ends it.
    this.#controller?.abort(ABORTED);
  }

  /** Stops reading until {@link resume}; undici's idle timeout stands still meanwhile. */
  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#receiver === null) controller.abort(ABORTED);
    else this.sent = true;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status >= 200) this.#receiver?.onUpstreamHead(status, headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#receiver?.onUpstreamData(chunk);
  }

  onResponseEnd(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#settle();
    receiver?.onUpstreamEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#settle();
    receiver?.onUpstreamFailure(upstreamFailureKind(error, this.sent), error);
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#onSettled();
  }
}
