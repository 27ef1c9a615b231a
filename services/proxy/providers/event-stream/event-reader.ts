import { EventSplitter } from './event-splitter.ts';

/**
 * Takes the data of one event, its lines joined. `name`: of its `event:` line; '' = it has none. Comments and events without data are never told.
 */
export type OnEvent = (data: string, name: string) => void;

/**
 * Reads server-sent events for those who need each one understood, cut anywhere; LF and CRLF, with or without a space after the colon. Who only passes
 * bytes on uses the splitter alone.
 */
export class EventReader {
  readonly #splitter = new EventSplitter();
  readonly #onEvent: OnEvent;

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent;
  }

  /** False when an event is larger than any may be: what comes is no stream. */
  push(chunk: Buffer): boolean {
    const run = this.#splitter.push(chunk);
    if (run !== null) this.#read(run.toString('utf8'));
    return !this.#splitter.overflowed();
  }

  /** Nothing more comes. The last event may lack its empty line; then its data is told all the same, and may be half of it. */
  end(): void {
    const rest = this.#splitter.rest();
    if (rest.length > 0) this.#read(`${rest.toString('utf8')}\n\n`);
  }

  #read(run: string): void {
    let data: string | null = null;
    let name = '';
    for (let start = 0; start < run.length; ) {
      const newline = run.indexOf('\n', start);
      const lineEnd = newline < 0 ? run.length : newline;
      const end = lineEnd > start && run.charCodeAt(lineEnd - 1) === 0x0d ? lineEnd - 1 : lineEnd;
      if (end === start) {
        if (data !== null) this.#onEvent(data, name);
        data = null;
        name = '';
      } else if (run.startsWith('data:', start)) {
        const value = run.slice(valueStart(run, start + 5), end);
        data = data === null ? value : `${data}\n${value}`;
      } else if (run.startsWith('event:', start)) {
        name = run.slice(valueStart(run, start + 6), end);
      }
      start = lineEnd + 1;
    }
  }
}

function valueStart(run: string, at: number): number {
  return run.charCodeAt(at) === 0x20 ? at + 1 : at;
}
