import type { Outcome } from '../../../schema/events/request-settled.v1.ts';
import { ERROR_CONTENT_TYPE } from '../answer/answer-headers.ts';
import type { HeldBytes } from '../held-bytes.ts';
import type { SettledCost } from '../settlement/settle.ts';
import type { ClaimEndings } from './claim-endings.ts';
import type { NotKept, WantedKey } from './keyed-requests.ts';

/** What the application got, or would have got had it stayed. */
export interface GivenAnswer {
  readonly status: number;
  readonly contentType: string;
  /** Ours or the provider's code; null = it succeeded. */
  readonly errorCode: string | null;
  readonly model: string | null;
  readonly provider: string | null;
  /** All of it, or what ends the stream whose pieces went before. */
  readonly last: Buffer;
}

/**
 * The answer of a request that called a provider.
 * @param streamType of what went out, or would have, as a stream; null: it was none. @param contentType the provider's. @param last null = it is not whole.
 */
export function givenAnswer(
  { model, provider }: Pick<GivenAnswer, 'model' | 'provider'>,
  streamType: string | null,
  contentType: string | undefined,
  status: number,
  errorCode: string | null,
  last: Buffer | null,
): GivenAnswer | null {
  if (last === null) return null;
  return {
    status,
    contentType: streamType ?? (errorCode !== null ? ERROR_CONTENT_TYPE : (contentType ?? 'application/json')),
    errorCode,
    model,
    provider,
    last,
  };
}

/** What claims have in common. */
export interface ClaimSettings {
  readonly endings: Pick<ClaimEndings, 'end'>;
  /** Counts the answers held. */
  readonly room: HeldBytes;
  readonly maxAnswerBytes: number;
}

/**
 * The key that a request has: it gathers the answer while that goes out, and says once how it ended. A repetition is sent again only
 * where that certainly cost nothing; every other gets what the first one got, or is told that it was not kept.
 */
export class KeyedClaim {
  readonly #claimed: WantedKey;
  readonly #settings: ClaimSettings;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #dropped: NotKept | null = null;
  #isOver = false;

  constructor(claimed: WantedKey, settings: ClaimSettings) {
    this.#claimed = claimed;
    this.#settings = settings;
  }

  /** A piece of a stream, in its order, whether or not anybody takes it. */
  streamed(bytes: Buffer): void {
    if (this.#isOver || this.#dropped !== null) return;
    const { room, maxAnswerBytes } = this.#settings;
    if (this.#bytes + bytes.length > maxAnswerBytes) this.#drop('too_large');
    else if (room.isFull) this.#drop('no_room');
    else {
      room.add(bytes.length);
      this.#bytes += bytes.length;
      this.#pieces.push(bytes);
    }
  }

  /** The request is settled. @param answer null = there is no whole one. */
  settled(outcome: Outcome, cost: SettledCost, answer: GivenAnswer | null): void {
    if (outcome !== 'succeeded' && cost.kind === 'free') {
      this.released();
      return;
    }
    if (answer !== null) this.streamed(answer.last);
    else this.#drop('cut');
    if (this.#isOver) return;
    this.#isOver = true;
    const { endings } = this.#settings;
    if (answer === null || this.#dropped !== null) {
      endings.end(this.#claimed, { kind: 'not_kept', cause: this.#dropped ?? 'cut' });
      return;
    }
    const { last: _, ...head } = answer;
    endings.end(this.#claimed, { kind: 'answered', answer: { ...head, body: this.#body() } });
    this.#pieces = [];
  }

  /** It could not be settled: whether it was charged is not known here. */
  failed(): void {
    this.#drop('failed');
    this.settled('failed', { kind: 'unrated', reason: 'failed' }, null);
  }

  /** It ended at no cost for certain: whoever repeats it may send it. */
  released(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#drop('cut');
    this.#settings.endings.end(this.#claimed, { kind: 'released' });
  }

  #body(): Buffer {
    const [only] = this.#pieces;
    return this.#pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.#pieces, this.#bytes);
  }

  #drop(why: NotKept): void {
    this.#dropped ??= why;
    this.#settings.room.remove(this.#bytes);
    this.#bytes = 0;
    this.#pieces = [];
  }
}
