/** A request body: the bytes as they came (decompressed), and what they say, parsed once. */
export interface ReceivedBody {
  readonly bytes: Buffer;
  readonly value: unknown;
  /** Monotonic milliseconds when its last byte had arrived. */
  readonly arrivedAt: number;
}
