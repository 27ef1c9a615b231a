import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type HomeLock, lockHome } from '../../../../services/cli/start/home-lock.ts';
import { identifyProcess } from '../../../../services/runtime/process-identity.ts';

const runFolderOf = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'turnpike-lock-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
};
const lock = (runFolder: string): Promise<HomeLock> =>
  lockHome({ home: '/the/home', runFolder, addressOf: async () => 'http://127.0.0.1:4000/v1' });

test('of many that want the lock at once exactly one gets it, also when a stale one lies there', async () => {
  for (const stale of [null, '{"pid":1,"startedAt":"long ago"}', '', 'not json']) {
    const runFolder = await runFolderOf();
    if (stale !== null) await writeFile(join(runFolder, 'supervisor.json'), stale);
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => lock(runFolder)));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    const losers = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []));
    for (const reason of losers) expect(reason).toContain(`already runs on /the/home (process ${process.pid}, http://127.0.0.1:4000/v1)`);
    expect((await readdir(runFolder)).filter((name) => name.endsWith('.json'))).toEqual(['supervisor.json']);
  }
});

test('a released lock can be taken again', async () => {
  const runFolder = await runFolderOf();
  const first = await lock(runFolder);
  await expect(lock(runFolder)).rejects.toThrow('already runs');
  await first.release();
  await (await lock(runFolder)).release();
  expect((await readdir(runFolder)).filter((name) => name.endsWith('.json'))).toEqual([]);
});

test('a number that belongs to another process by now does not hold the lock', async () => {
  const runFolder = await runFolderOf();
  const parent = await identifyProcess(process.ppid);
  await writeFile(join(runFolder, 'supervisor.json'), JSON.stringify({ pid: parent?.pid, startedAt: `${parent?.startedAt}0` }));
  await (await lock(runFolder)).release();
});
