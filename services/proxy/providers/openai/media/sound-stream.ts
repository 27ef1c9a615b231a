import type { AnswerFacts, AnswerReader, StreamReader, StreamSink } from '../../provider.ts';
import { NO_FACTS, NOTHING } from '../../provider.ts';

const SOUND = /^(?:audio\/|application\/octet-stream)/i;
const NO_BYTES = Buffer.alloc(0);

/** How sound that passes while it comes is read: there is nothing in it to read, and no place for an error. What is none, as JSON, is read by `whole`. */
export function soundStreamAnswers(whole: AnswerReader): AnswerReader {
  return {
    ...whole,
    isStream: (contentType) => SOUND.test(contentType),
    readHead: ({ 'content-type': contentType = '' }) => ({ headers: NOTHING, framing: { contentType, failure: () => null } }),
    createStreamReader: (_expected, sink) => new SoundStreamReader(sink),
  };
}

/** Passes bytes as they come, but for the last one, which goes out when the answer is in the books: it is whole when its connection ended in order. */
class SoundStreamReader implements StreamReader {
  readonly #sink: StreamSink;
  #last: Buffer = NO_BYTES;

  constructor(sink: StreamSink) {
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    const end = chunk.length - 1;
    if (end < 0) return;
    const bytes = this.#last.length === 0 ? chunk.subarray(0, end) : Buffer.concat([this.#last, chunk.subarray(0, end)]);
    this.#last = chunk.subarray(end);
    if (bytes.length > 0) this.#sink.pass(bytes);
  }

  end(inOrder: boolean): boolean {
    if (inOrder) this.#sink.completed(this.#last);
    return inOrder;
  }

  facts(): AnswerFacts {
    return NO_FACTS;
  }
}
