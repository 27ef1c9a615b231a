import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { endLeftovers, recordChild } from '../../../../services/cli/start/leftovers.ts';

const runFolderOf = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'turnpike-leftovers-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

test('a recorded child that still runs is given time, then killed, and its record removed', async () => {
  const runFolder = await runFolderOf();
  const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
  await recordChild(runFolder, 'proxy', child.pid ?? 0);
  const lines: string[] = [];
  await endLeftovers({ runFolder, patienceMs: 100, onProgress: (line) => lines.push(line) });
  expect(await exited).toBe('SIGKILL');
  expect(lines).toEqual([`waiting for the proxy left behind (process ${child.pid}) to finish`]);
  expect(await readdir(runFolder)).toEqual([]);
});

test('a record whose number belongs to another process by now harms nobody', async () => {
  const runFolder = await runFolderOf();
  const bystander = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
  for (const [name, record] of Object.entries({
    other: { pid: bystander.pid, startedAt: 'another time', command: 'node' },
    group: { pid: -1, startedAt: '', command: '' },
    first: { pid: 1, startedAt: '', command: '' },
    text: 'none',
  })) {
    await writeFile(join(runFolder, `${name}.child.json`), JSON.stringify(record));
  }
  await endLeftovers({ runFolder, patienceMs: 100, onProgress: () => {} });
  expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
  bystander.kill('SIGKILL');
});
