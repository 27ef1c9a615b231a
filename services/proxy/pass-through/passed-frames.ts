import { awsException } from '../answer/aws-errors.ts';
import { parseFields, textOf } from '../body/json-fields.ts';
import { readException } from '../providers/bedrock/failure.ts';
import { frameCodec } from '../providers/event-stream/frame-codec.ts';
import type { Frame } from '../providers/event-stream/frame-reader.ts';
import { FRAMES_CONTENT_TYPE, FrameReader } from '../providers/event-stream/frame-reader.ts';
import type { AnswerFacts, StreamFraming, StreamReader, StreamSink } from '../providers/provider.ts';
import type { UsageTap } from './usage-tap.ts';

/** A stream of AWS's binary frames. */
export const FRAMES: StreamFraming = {
  contentType: FRAMES_CONTENT_TYPE,
  failure: (words) => {
    const name = awsException(words);
    const text = (value: string) => ({ type: 'string' as const, value });
    const headers = {
      ':message-type': text('exception'),
      ':exception-type': text(name.charAt(0).toLowerCase() + name.slice(1)),
      ':content-type': text('application/json'),
    };
    return Buffer.from(frameCodec().encode({ headers, body: Buffer.from(JSON.stringify({ message: words.message }), 'utf8') }));
  },
};

const NOTHING_MORE = Buffer.alloc(0);

/**
 * Passes a stream of AWS's frames, byte for byte, and taps what it says of its usage. Whole frames pass, so that one of ours never stands inside of another.
 * It is complete when its connection ends in order, between two frames.
 */
export class PassedFrames implements StreamReader {
  readonly #sink: StreamSink;
  readonly #tap: UsageTap;
  readonly #frames = new FrameReader((frame) => this.#read(frame));
  /** Of the read under way. */
  #passing: Buffer[] = [];
  #isOver = false;

  constructor(sink: StreamSink, tap: UsageTap) {
    this.#sink = sink;
    this.#tap = tap;
  }

  push(chunk: Buffer): void {
    if (this.#isOver) return;
    const isStream = this.#frames.push(chunk);
    this.#pass();
    if (isStream || this.#isOver) return;
    this.#isOver = true;
    this.#sink.broken();
  }

  end(inOrder: boolean): boolean {
    if (this.#isOver) return true;
    if (!inOrder || !this.#frames.isBetween) return false;
    this.#isOver = true;
    this.#sink.completed(NOTHING_MORE);
    return true;
  }

  facts(): AnswerFacts {
    return this.#tap.facts();
  }

  #read({ kind, name, payload, bytes }: Frame): void {
    if (this.#isOver) return;
    if (kind === 'event') {
      this.#tap.look(told(payload));
      this.#passing.push(bytes);
      return;
    }
    this.#isOver = true;
    this.#pass();
    const refusal = readException(name, payload);
    this.#sink.failed(refusal.credentialRejected ? null : bytes, refusal);
  }

  #pass(): void {
    const passing = this.#passing;
    this.#passing = [];
    if (passing.length > 0) this.#sink.pass(Buffer.concat(passing));
  }
}

/** What a model streams by InvokeModelWithResponseStream is wrapped once more. */
function told(payload: Buffer): Buffer {
  const wrapped = payload.includes('"bytes"') ? textOf(parseFields(payload)?.bytes) : null;
  return wrapped === null ? payload : Buffer.from(wrapped, 'base64');
}
