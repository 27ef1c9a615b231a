import { IncomingMessage } from 'node:http';

/** Who takes the body of a request as it comes. */
export interface BodySink {
  onBodyData(chunk: Buffer): void;
  onBodyEnd(): void;
  /** The client left before the end. */
  onBodyGone(): void;
}

/**
 * Node's request, which also knows who reads its body. So the listeners are the same three functions for every request,
 * not three closures for each.
 */
export class IncomingRequest extends IncomingMessage {
  /** Written by {@link flowTo} alone. */
  bodySink: BodySink | null = null;

  /** Lets the body flow into a sink. */
  flowTo(sink: BodySink): void {
    if (this.destroyed) {
      sink.onBodyGone();
      return;
    }
    this.bodySink = sink;
    // An `error` comes where a body ends early and nowhere else, and only to those who listen.
    this.on('data', onData).on('end', onEnd).on('error', onError);
  }
}

function onData(this: IncomingRequest, chunk: Buffer): void {
  this.bodySink?.onBodyData(chunk);
}

function onEnd(this: IncomingRequest): void {
  this.bodySink?.onBodyEnd();
}

function onError(this: IncomingRequest): void {
  this.bodySink?.onBodyGone();
}
