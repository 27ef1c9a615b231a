import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';

/** What the load generator is asked to do. */
export const LoadJob = Type.Object({
  origin: Type.String(),
  path: Type.String(),
  headers: Type.Record(Type.String(), Type.String()),
  body: Type.String(),
  /** Most requests at once. A closed loop keeps that many under way; an open loop queues what exceeds it, and the wait counts. */
  connections: Type.Integer({ minimum: 1, maximum: 10_000 }),
  durationMs: Type.Integer({ minimum: 1 }),
  /** Arrivals a second at even distances, whatever the answers do; null: a closed loop, the next request follows an answer. */
  ratePerSecond: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Null()]),
  /**
   * Sleep between arrivals, which are then up to a millisecond late, instead of keeping the event loop turning: for what shares a
   * core with the load generator and is measured in more than milliseconds.
   */
  sleeps: Type.Optional(Type.Boolean()),
  /** Note when each answer ended, by its request's id. */
  notesAnswers: Type.Optional(Type.Boolean()),
  expectedStatus: Type.Integer(),
  /** Null takes any body. */
  expectedBody: Type.Union([Type.String(), Type.Null()]),
  /** What every body has to contain, where it is not known to the byte. */
  expectedText: Type.Union([Type.String(), Type.Null()]),
});
export type LoadJob = Static<typeof LoadJob>;

/** What came of it. Latencies in microseconds; in an open loop from the intended start, so a stall counts for all it delays. */
export const LoadResult = Type.Object({
  requests: Type.Integer(),
  /** Answers with another status or body than expected, and broken connections. */
  unexpected: Type.Integer(),
  /** The first of them, for a person. */
  firstUnexpected: Type.Union([Type.String(), Type.Null()]),
  elapsedMs: Type.Number(),
  /** Id of each request and when the last byte of its answer came, in epoch milliseconds; empty where that was not asked for. */
  answers: Type.Array(Type.Tuple([Type.String(), Type.Number()])),
  latencyUs: Type.Object({ p50: Type.Number(), p95: Type.Number(), p99: Type.Number(), max: Type.Number() }),
});
export type LoadResult = Static<typeof LoadResult>;

const job = Compile(LoadJob);
const result = Compile(LoadResult);

export const parseLoadJob = (value: unknown): LoadJob => job.Parse(value);
export const parseLoadResult = (value: unknown): LoadResult => result.Parse(value);
