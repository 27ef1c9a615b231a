import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';

/** The registry has changed: follow it until the new snapshot serves and is on disk. */
const PushJob = Type.Object({ kind: Type.Literal('follow') });
export type PushJob = Static<typeof PushJob>;

/** What came of it, and the turns of the event loop meanwhile. A process announces the same of its first snapshot. */
const PushResult = Type.Object({
  keys: Type.Integer(),
  servesAfterMs: Type.Number(),
  turns: Type.Integer(),
  longestMs: Type.Number(),
  longestOwnMs: Type.Number(),
  longestOwnWithoutFullMs: Type.Number(),
  longestCpuMs: Type.Number(),
  longestYoungMs: Type.Number(),
});
export type PushResult = Static<typeof PushResult>;

const check = Compile(PushResult);

/** @throws TypeError where it is none. */
export function parsePushResult(message: unknown): PushResult {
  if (!check.Check(message)) throw new TypeError('not a result of a push');
  return message;
}
