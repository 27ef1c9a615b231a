import type { ServerResponse } from 'node:http';
import type { Clock } from '../runtime/clock.ts';
import type { Behavior, DurationRange } from './behavior.ts';
import type { BodySink } from './body-sink.ts';
import { openBodySink } from './body-sink.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Script } from './stream-script.ts';

/** What became of an answer: sent whole, broken by the simulator, or left by the client. */
export type DeliveryOutcome = 'finished' | 'cut' | 'cancelled';

export type DeliveryReport = {
  readonly outcome: DeliveryOutcome;
  /** Whether status and headers went out. */
  readonly headersSent: boolean;
  readonly visibleTokens: number;
  readonly usageTold: boolean;
};

type DeliveryOptions = {
  readonly response: ServerResponse;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly behavior: Behavior;
  readonly script: Script;
  readonly headers: readonly string[];
  readonly gzip: boolean;
  /** True for one body that is sent when its last token is there; false for a stream. */
  readonly wholeBody: boolean;
  /** Called once, before the last byte goes out: a client that has its whole answer finds it in the books. */
  readonly onSettled: (report: DeliveryReport) => void;
};

/** Frames that are due together go out in one write of about this size, so that a slow reader holds no more than this and the script. */
const batchLength = 65_536;

const draw = (range: DurationRange, random: SeededRandom): number => random.between(range.fromMs, range.toMs);

/** Sends the frames of a script, each when it is due, until the end, the breaking point or the client's leaving. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #startedMs: number;
  readonly #firstTokenMs: number;
  #sink: BodySink | null = null;
  #timer: NodeJS.Timeout | undefined;
  #index = 0;
  /** When the next frame is due, in milliseconds after the start. */
  #dueMs: number;
  #stalled = false;
  #visibleTokens = 0;
  #usageTold = false;
  #settled = false;

  constructor(options: DeliveryOptions) {
    const { behavior, clock, random, script, wholeBody } = options;
    this.#options = options;
    this.#startedMs = clock.monotonic();
    this.#firstTokenMs = draw(behavior.firstToken, random) + (behavior.stall === 'before' ? behavior.stallMs : 0);
    this.#dueMs = this.#firstTokenMs;
    if (wholeBody) this.#addGaps((script.frames[0]?.tokens ?? 0) - 1);
  }

  /** Begins; a script without waits is sent before this returns. */
  start(): void {
    const { response } = this.#options;
    // A client may have left while its body was being read, and then there is no further event to wait for.
    if (response.destroyed) this.#settle('cancelled');
    else response.once('close', () => this.#settle('cancelled'));
    this.#continue();
  }

  #addGaps(tokens: number): void {
    const { behavior, random } = this.#options;
    const range = behavior.betweenTokens;
    if (range.toMs === 0) return;
    for (let index = 0; index < tokens; index++) this.#dueMs += draw(range, random);
  }

  readonly #continue = (): void => {
    for (;;) {
      if (this.#settled) return;
      const waitMs = this.#startedMs + this.#dueMs - this.#options.clock.monotonic();
      if (waitMs > 0) {
        this.#timer = setTimeout(this.#continue, Math.ceil(waitMs));
        return;
      }
      if (!this.#sendBatch()) return;
    }
  };

  /** Sends what is due; false when something else (a drain, the end) takes over. */
  #sendBatch(): boolean {
    const { behavior, clock, headers, response, script } = this.#options;
    if (behavior.disconnect === 'before') {
      this.#settle('cut');
      // Nothing was sent that a reset could take back, so this one is a reset rather than a close.
      response.socket?.resetAndDestroy();
      return false;
    }
    if (this.#sink === null) {
      response.writeHead(200, [...headers]);
      this.#sink = openBodySink(response, this.#options.gzip, behavior.splitBytes);
    }
    const elapsedMs = clock.monotonic() - this.#startedMs;
    let batch = '';
    while (this.#dueMs <= elapsedMs && batch.length < batchLength) {
      if (this.#index === script.stallBefore && !this.#stalled) {
        this.#stalled = true;
        this.#dueMs = elapsedMs + behavior.stallMs;
      } else if (this.#index < script.frames.length) {
        batch += this.#take();
      } else {
        this.#finish(this.#sink, batch);
        return false;
      }
    }
    if (batch !== '') return this.#sink.write(batch, this.#continue);
    response.flushHeaders();
    return true;
  }

  /** The text of the next frame; moves on to the one after it and its time. */
  #take(): string {
    const { frames } = this.#options.script;
    const frame = frames[this.#index++];
    if (frame === undefined) return '';
    this.#visibleTokens += frame.tokens;
    this.#usageTold ||= frame.tellsUsage;
    // Only tokens after the first take time: opening chunk, finish, usage and `[DONE]` go with their neighbors.
    const next = frames[this.#index];
    if (next !== undefined && next.tokens > 0 && this.#visibleTokens > 0) this.#addGaps(1);
    return frame.text;
  }

  #finish(sink: BodySink, lastText: string): void {
    const { response, script } = this.#options;
    this.#settle(script.complete ? 'finished' : 'cut');
    if (script.ending === 'end') {
      sink.end(lastText);
      return;
    }
    if (lastText !== '') sink.write(lastText, () => undefined);
    sink.flush(() => {
      if (script.ending === 'reset') response.socket?.resetAndDestroy();
      else response.socket?.destroy();
    });
  }

  #settle(outcome: DeliveryOutcome): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#options.onSettled({
      outcome,
      headersSent: this.#sink !== null,
      // A connection broken before the headers is a failure like any error, and bills nothing.
      visibleTokens: outcome === 'cut' ? this.#visibleTokens : this.#generatedTokens(),
      usageTold: this.#usageTold,
    });
  }

  /** Tokens generated by now. A whole body was being generated while it was waited for. */
  #generatedTokens(): number {
    const { clock, script, wholeBody } = this.#options;
    if (!wholeBody || this.#index > 0) return this.#visibleTokens;
    const elapsedMs = clock.monotonic() - this.#startedMs - this.#firstTokenMs;
    if (elapsedMs < 0) return 0;
    const tokens = script.frames[0]?.tokens ?? 0;
    const generatingMs = this.#dueMs - this.#firstTokenMs;
    return generatingMs === 0 ? tokens : Math.min(tokens, 1 + Math.floor((elapsedMs / generatingMs) * (tokens - 1)));
  }
}
