/** Bounds of what requests with an `Idempotency-Key` cost this proxy; what the database keeps of them is bounded there (migrations/0022_keyed_requests.sql). */
export interface KeyedLimits {
  /** Largest answer that is kept for its repetitions, as it goes to the application. */
  readonly maxAnswerBytes: number;
  /** And compressed and sealed; the database refuses more than 1.1 million. */
  readonly maxSealedBytes: number;
  /** Bytes of answers in memory until they are kept; an answer beyond it is not kept. */
  readonly maxHeldBytes: number;
  /** Claims under way, and endings that the database has not taken yet; beyond each, keyed requests are refused. */
  readonly maxClaims: number;
  readonly maxEndings: number;
  /** How long a request waits for its claim. */
  readonly claimTimeoutMs: number;
  /** When a claim that nobody answered cannot come into being any more: the database ends statements sooner. */
  readonly unansweredMs: number;
}

export const DEFAULT_KEYED_LIMITS: KeyedLimits = {
  maxAnswerBytes: 4 * 1024 * 1024,
  maxSealedBytes: 1024 * 1024,
  maxHeldBytes: 64 * 1024 * 1024,
  maxClaims: 1_024,
  maxEndings: 10_000,
  claimTimeoutMs: 3_000,
  unansweredMs: 5_000,
};
