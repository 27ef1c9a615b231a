import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { GatewayError } from '../../../schema/errors.ts';
import { ERROR_OF_FAILURE } from '../relay/failure-words.ts';
import type { UpstreamCall, UpstreamReceiver } from '../upstream/upstream-call.ts';
import type { UpstreamFailureKind } from '../upstream/upstream-failure.ts';

/** A body as it comes. Who does not read it to its end destroys it. */
export interface AnswerBody extends AsyncIterable<Buffer> {
  destroy(): unknown;
}

/** The head of an answer, and its body. */
export interface StreamedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: AnswerBody;
}

/** The answer of one call as a stream, which is fetched no faster than it is read. */
export class AnswerStream extends Readable implements UpstreamReceiver {
  readonly #onHead: (answer: StreamedAnswer) => void;
  readonly #onFailure: (error: GatewayError) => void;
  #call: UpstreamCall | null = null;
  #hasHead = false;

  /** @param onFailure told where no head came; a later failure is the stream's. */
  constructor(onHead: (answer: StreamedAnswer) => void, onFailure: (error: GatewayError) => void) {
    super();
    this.#onHead = onHead;
    this.#onFailure = onFailure;
  }

  /** The call that it is the answer of. */
  answers(call: UpstreamCall): void {
    this.#call = call;
  }

  onUpstreamHead(status: number, headers: IncomingHttpHeaders): void {
    this.#hasHead = true;
    this.#onHead({ status, headers, body: this });
  }

  onUpstreamData(chunk: Buffer): void {
    if (!this.push(chunk)) this.#call?.pause();
  }

  onUpstreamEnd(): void {
    this.push(null);
  }

  onUpstreamFailure(kind: UpstreamFailureKind, cause: Error): void {
    const error = new GatewayError(ERROR_OF_FAILURE[kind], { cause });
    if (this.#hasHead) this.destroy(error);
    else this.#onFailure(error);
  }

  override _read(): void {
    this.#call?.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#call?.abort();
    callback(error);
  }
}
