import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withInstallLock } from '../../../infra/bootstrap/install-lock.mjs';
import { eventually } from '../../harness/eventually.ts';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'turnpike-lock-')), 'install');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

const neverWaits = { onWait: () => expect.unreachable('waited for nobody') };

test('two at once work one after the other, and the second says that it waits', async () => {
  let working = 0;
  let most = 0;
  let waits = 0;
  const first = Promise.withResolvers<void>();
  const work = async (until: Promise<void>): Promise<void> => {
    most = Math.max(most, ++working);
    await until;
    working -= 1;
  };
  const one = withInstallLock(folder, neverWaits, () => work(first.promise));
  const two = withInstallLock(folder, { onWait: () => ++waits }, () => work(Promise.resolve()));
  await eventually(() => waits === 1);
  expect(working).toBe(1);
  first.resolve();
  await Promise.all([one, two]);
  expect(most).toBe(1);
});

test('what the work returns or throws comes out, and the lock is free again', async () => {
  expect(await withInstallLock(folder, neverWaits, async () => 'done')).toBe('done');
  await expect(withInstallLock(folder, neverWaits, async () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await withInstallLock(folder, neverWaits, async () => 'done')).toBe('done');
});

test('the lock of a dead process is taken over at once', async () => {
  mkdirSync(folder);
  writeFileSync(join(folder, '7'), '4242');
  expect(await withInstallLock(folder, { ...neverWaits, isAlive: (pid) => pid !== 4242 }, async () => readdirSync(folder))).toEqual(['8']);
});

test('of many that find a dead holder, one works at a time', async () => {
  mkdirSync(folder);
  writeFileSync(join(folder, '1'), '4242');
  let working = 0;
  let most = 0;
  const contend = () =>
    withInstallLock(folder, { onWait: () => {}, isAlive: (pid) => pid !== 4242 }, async () => {
      most = Math.max(most, ++working);
      await new Promise<void>((resolve) => setImmediate(resolve));
      working -= 1;
    });
  await Promise.all(Array.from({ length: 8 }, contend));
  expect(most).toBe(1);
});
