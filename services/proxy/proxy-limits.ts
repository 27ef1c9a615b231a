import { leaseTimes } from './admission/leases/lease-state.ts';
import type { BatchTimes } from './batches/batch-times.ts';
import { DEFAULT_BATCH_TIMES } from './batches/batch-times.ts';
import type { BodyLimits } from './body/body-limits.ts';
import { DEFAULT_BODY_LIMITS } from './body/body-limits.ts';
import type { KeyedLimits } from './idempotency/keyed-limits.ts';
import { DEFAULT_KEYED_LIMITS } from './idempotency/keyed-limits.ts';

/** Every bound and pause of the proxy that is not a provider's. Tests make them small. */
export interface ProxyLimits {
  readonly body: BodyLimits;
  readonly keyed: KeyedLimits;
  readonly batches: BatchTimes;
  /** Connections of applications, idle ones included; one more is closed at once. */
  readonly maxConnections: number;
  /** Requests admitted and not finished; one more is refused as `overloaded` before anything of it is read. */
  readonly maxRequests: number;
  /**
   * Bytes of bodies and whole answers in memory. At it no request is admitted, and no body goes on arriving; answers of calls that were
   * made are still taken.
   */
  readonly maxHeldBytes: number;
  /** Lateness of the event loop from which on a growing share of what comes is refused as `overloaded`. */
  readonly maxLoopDelayMs: number;
  /** Largest whole answer of a provider; it is held in memory, because its cost goes into its head. */
  readonly maxAnswerBytes: number;
  /** Silence in a stream after which `: keep-alive` is sent. */
  readonly keepAliveMs: number;
  /** A client that takes no byte of a stream for this long has left. */
  readonly clientStallMs: number;
  /** What is read of an answer for its usage after the client left. */
  readonly drainMaxBytes: number;
  readonly drainMaxMs: number;
  /** How often streams are looked at for the above, and arriving bodies for their deadline. */
  readonly tickMs: number;
  /** Whole answers of at least this many bytes are compressed for clients that accept it; below it the work costs more than the bytes. */
  readonly gzipMinBytes: number;
  /** How long a request waits at most for room of its budgets (reference/leases.md section 4). */
  readonly leaseWaitMs: number;
}

export const DEFAULT_PROXY_LIMITS: ProxyLimits = {
  body: DEFAULT_BODY_LIMITS,
  keyed: DEFAULT_KEYED_LIMITS,
  batches: DEFAULT_BATCH_TIMES,
  maxConnections: 16_384,
  maxRequests: 8_192,
  maxHeldBytes: 256 * 1024 * 1024,
  maxLoopDelayMs: 500,
  maxAnswerBytes: 64 * 1024 * 1024,
  keepAliveMs: 15_000,
  clientStallMs: 300_000,
  drainMaxBytes: 1024 * 1024,
  drainMaxMs: 30_000,
  tickMs: 1_000,
  gzipMinBytes: 16 * 1024,
  leaseWaitMs: leaseTimes.leaseWaitMs,
};
