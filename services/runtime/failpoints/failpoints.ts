import { writeSync } from 'node:fs';
import type { Log } from '../log.ts';
import type { FailpointName } from './failpoint-catalogue.ts';
import type { ArmedFailpoint, FailpointAction } from './parse-failpoints.ts';

/** Passes a failpoint: kills or freezes this process when it is due. @throws the error that it was armed with. */
export type PassFailpoint = (name: FailpointName) => void;

/**
 * The failpoints of this process, or null when none is armed: then no seam is decorated, and nothing is paid for them. It is
 * said loudly when there are any.
 */
export function armFailpoints(armed: readonly ArmedFailpoint[], log: Log): PassFailpoint | null {
  if (armed.length === 0) return null;
  log.error({ failpoints: armed }, 'FAILPOINTS ARE ARMED: this process fails on purpose, and must not serve anybody');
  const passages = new Map<FailpointName, number>();
  return (name) => {
    const passage = (passages.get(name) ?? 0) + 1;
    passages.set(name, passage);
    for (const one of armed) if (one.name === name && one.passage === passage) act(one.action, name);
  };
}

function act(action: FailpointAction, name: FailpointName): void {
  // Past the log, which keeps its last lines in memory for a moment: a process that is killed would not say why.
  writeSync(process.stderr.fd, `failpoint ${name}: ${action.kind}\n`);
  if (action.kind === 'error') throw Object.assign(new Error(`failpoint ${name}`), { code: action.code });
  // A signal to oneself is delivered before the call returns.
  process.kill(process.pid, action.kind === 'kill' ? 'SIGKILL' : 'SIGSTOP');
}
