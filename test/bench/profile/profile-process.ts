import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { eventually } from '../../harness/eventually.ts';
import type { Profile } from './describe-profile.ts';
import { parseProfile } from './describe-profile.ts';

/** Put in the environment of what may be profiled: its inspector, once asked for, takes any free port. */
export const profilable = { NODE_OPTIONS: '--inspect-port=0' } as const;

const samplingIntervalUs = 500;
const answerMs = 30_000;
const Answer = Compile(Type.Object({ id: Type.Integer(), result: Type.Optional(Type.Unknown()), error: Type.Optional(Type.Unknown()) }));
const Stopped = Compile(Type.Object({ profile: Type.Unknown() }));

/**
 * Samples a running Node process while `work` runs, and only then: what it did at its start is not in the profile.
 * @param output what the process and its parents printed: Node writes there where its inspector listens.
 */
export async function profileProcess(pid: number, output: () => string, work: () => Promise<void>): Promise<Profile> {
  // Node opens its inspector on this signal (nodejs.org, "Debugger", "Enabling the debugger on a running process").
  process.kill(pid, 'SIGUSR1');
  const address = await eventually(() => /Debugger listening on (ws:\/\/\S+)/.exec(output())?.[1]);
  const session = await openSession(address);
  try {
    await session.call('Profiler.enable');
    await session.call('Profiler.setSamplingInterval', { interval: samplingIntervalUs });
    await session.call('Profiler.start');
    await work();
    return parseProfile(Stopped.Parse(await session.call('Profiler.stop')).profile);
  } finally {
    session.close();
  }
}

async function openSession(address: string) {
  const socket = new WebSocket(address);
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let last = 0;
  socket.addEventListener('message', ({ data }) => {
    const message: unknown = JSON.parse(String(data));
    if (!Answer.Check(message)) return;
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error === undefined) call?.resolve(message.result);
    else call?.reject(new Error(`the inspector refused: ${JSON.stringify(message.error)}`));
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true });
    socket.addEventListener('error', () => reject(new Error(`no connection to ${address}`)), { once: true });
  });
  return {
    call: (method: string, params: object = {}): Promise<unknown> => {
      last += 1;
      const answer = Promise.withResolvers<unknown>();
      waiting.set(last, answer);
      socket.send(JSON.stringify({ id: last, method, params }));
      const timer = setTimeout(() => answer.reject(new Error(`${method} was not answered`)), answerMs);
      return answer.promise.finally(() => clearTimeout(timer));
    },
    close: () => socket.close(),
  };
}
