import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';

/** What a process that holds is asked to do. */
const HoldJob = Type.Union([
  /** So many requests of the keys that five budgets count, or of the same keys as if there were no budget. */
  Type.Object({ kind: Type.Literal('requests'), budgeted: Type.Boolean(), requests: Type.Integer({ minimum: 1 }) }),
  /** As many as it can of the one hot budget. */
  Type.Object({ kind: Type.Literal('hot'), durationMs: Type.Integer({ minimum: 1 }) }),
  /** Gives back what is free. */
  Type.Object({ kind: Type.Literal('stop') }),
]);
export type HoldJob = Static<typeof HoldJob>;

/** What came of it. */
const HoldResult = Type.Object({
  requests: Type.Integer(),
  refused: Type.Integer(),
  elapsedMs: Type.Number(),
  /** Of the whole process. */
  cpuUs: Type.Number(),
  /** Written for the spool: drafts and events. */
  bytes: Type.Integer(),
  /** Debits of the hot budget so far, in pico-USD. */
  spent: Type.String(),
});
export type HoldResult = Static<typeof HoldResult>;

const checkJob = Compile(HoldJob);
const checkResult = Compile(HoldResult);

/** @throws TypeError where it is none. */
export function parseHoldJob(message: unknown): HoldJob {
  if (!checkJob.Check(message)) throw new TypeError('not a job for holds');
  return message;
}

/** @throws TypeError where it is none. */
export function parseHoldResult(message: unknown): HoldResult {
  if (!checkResult.Check(message)) throw new TypeError('not a result of holds');
  return message;
}
