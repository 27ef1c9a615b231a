import type { LiftedMedia } from './lifted-media.ts';

/** A request body: the bytes as they came (decompressed), and what they say, parsed once; undefined where they are not read as JSON. */
export interface ReceivedBody {
  readonly bytes: Buffer;
  readonly value: unknown;
  /** What was lifted out of the bytes before they were parsed; null: nothing. */
  readonly media: LiftedMedia | null;
  /** Monotonic milliseconds when its last byte had arrived. */
  readonly arrivedAt: number;
}
