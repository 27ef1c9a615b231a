import { EventSplitter, eventData, eventEnd } from '../providers/event-stream/event-splitter.ts';
import type { AnswerFacts, StreamReader, StreamSink } from '../providers/provider.ts';
import type { UsageTap } from './usage-tap.ts';

/** How the names of the members begin that tell it. */
const USAGE = Buffer.from('"usage');
const NOTHING_MORE = Buffer.alloc(0);

/**
 * Passes a stream of server-sent events that nobody here knows, byte for byte, and taps what it says of its usage. Whole events pass, so that a comment of
 * ours never stands inside of one. It is complete when its connection ends in order: which event is the last is the provider's matter.
 */
export class PassedStreamReader implements StreamReader {
  readonly #splitter = new EventSplitter();
  readonly #sink: StreamSink;
  readonly #tap: UsageTap;
  #over = false;

  constructor(sink: StreamSink, tap: UsageTap) {
    this.#sink = sink;
    this.#tap = tap;
  }

  push(chunk: Buffer): void {
    if (this.#over) return;
    const run = this.#splitter.push(chunk);
    if (run !== null) {
      this.#look(run);
      this.#sink.pass(run);
    } else if (this.#splitter.overflowed()) {
      this.#over = true;
      this.#sink.broken();
    }
  }

  end(inOrder: boolean): boolean {
    if (this.#over) return true;
    if (!inOrder) return false;
    this.#over = true;
    const rest = this.#splitter.rest();
    if (rest.length > 0) this.#look(rest);
    this.#sink.completed(rest.length > 0 ? rest : NOTHING_MORE);
    return true;
  }

  facts(): AnswerFacts {
    return this.#tap.facts();
  }

  /** Events without usage are not parsed. */
  #look(run: Buffer): void {
    if (!run.includes(USAGE)) return;
    for (let start = 0; start < run.length; ) {
      const end = eventEnd(run, start);
      const data = eventData(run.subarray(start, end));
      if (data?.includes(USAGE) === true) this.#tap.look(data);
      start = end;
    }
  }
}
