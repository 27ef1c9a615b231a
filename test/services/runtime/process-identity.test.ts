import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { identifyProcess, processEnded } from '../../../services/runtime/process-identity.ts';

test('a running process keeps its identity, and one that ended has none', async () => {
  const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)']);
  const pid = child.pid ?? 0;
  const first = await identifyProcess(pid);
  // Not its name: Node's changes while it starts.
  expect(await identifyProcess(pid)).toMatchObject({ pid, startedAt: first?.startedAt });
  expect(first).not.toBeNull();
  if (first === null) return;
  expect(await processEnded(first, 0)).toBe(false);
  expect(await processEnded({ ...first, startedAt: 'another time' }, 0)).toBe(true);
  child.kill('SIGKILL');
  expect(await processEnded(first, 20_000)).toBe(true);
  expect(await identifyProcess(pid)).toBeNull();
});
