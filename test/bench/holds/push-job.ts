import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';

/** The registry has changed: follow it until the new snapshot serves and is on disk. */
const PushJob = Type.Object({ kind: Type.Literal('follow') });
export type PushJob = Static<typeof PushJob>;

/** The turns of the event loop meanwhile. */
const PushResult = Type.Object({
  keys: Type.Integer(),
  turns: Type.Integer(),
  longestMs: Type.Number(),
  /** Of all threads of the process. */
  longestCpuMs: Type.Number(),
  servesAfterMs: Type.Number(),
});
export type PushResult = Static<typeof PushResult>;

const check = Compile(PushResult);

/** @throws TypeError where it is none. */
export function parsePushResult(message: unknown): PushResult {
  if (!check.Check(message)) throw new TypeError('not a result of a push');
  return message;
}
