export interface BodyLimits {
  /** Bytes of a body, compressed or not. */
  readonly maxBytes: number;
  /** Time for the whole body to arrive; kept to the second. */
  readonly timeoutMs: number;
}

/** Contract: 32 MiB, checked before parsing (client-contract section 9). */
export const DEFAULT_BODY_LIMITS: BodyLimits = { maxBytes: 32 * 1024 * 1024, timeoutMs: 60_000 };
