import { createHmac } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemRandom } from '../../../services/runtime/random.ts';
import { deriveSecrets, loadMasterKey } from '../../../services/runtime/secrets.ts';

const temporaryHome = async (): Promise<string> => {
  const home = await mkdtemp(join(tmpdir(), 'turnpike-secrets-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  return home;
};

test('of many processes that make the master key at once all get the same, readable for its owner alone', async () => {
  const home = await temporaryHome();
  const keys = await Promise.all(
    Array.from({ length: 20 }, () => loadMasterKey({ given: null, home, random: systemRandom, mustBeGiven: false })),
  );
  expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
  expect((await stat(join(home, 'master.key'))).mode & 0o777).toBe(0o600);
  expect(await readdir(home)).toEqual(['master.key']);
});

test('a given master key is used and nothing is written', async () => {
  const home = await temporaryHome();
  const given = Buffer.alloc(32, 1);
  expect(await loadMasterKey({ given, home, random: systemRandom, mustBeGiven: false })).toBe(given);
  expect(await readdir(home)).toEqual([]);
});

test('a damaged master key is refused, not replaced', async () => {
  const home = await temporaryHome();
  await writeFile(join(home, 'master.key'), 'c2hvcnQ=\n');
  await expect(loadMasterKey({ given: null, home, random: systemRandom, mustBeGiven: false })).rejects.toThrow(
    'does not hold a master key',
  );
});

test('each use of the master key has a key of its own, the same at every start', () => {
  const [first, again, other] = [
    deriveSecrets(Buffer.alloc(32, 1)),
    deriveSecrets(Buffer.alloc(32, 1)),
    deriveSecrets(Buffer.alloc(32, 2)),
  ];
  expect(first.hashKey('tpk')).toEqual(again.hashKey('tpk'));
  expect(first.hashKey('tpk')).not.toEqual(other.hashKey('tpk'));
  expect(first.hashKey('tpk')).toEqual(createHmac('sha256', first.pepper).update('tpk').digest());
  expect(first.salt('end-user')).toHaveLength(16);
  expect(first.salt('end-user')).not.toEqual(first.salt('address'));
  expect(first.deriveKey('cursor').equals(first.pepper)).toBe(false);
});

test('a process on given servers makes no master key of its own: it says how to make the one for all', async () => {
  const home = await temporaryHome();
  await expect(loadMasterKey({ given: null, home, random: systemRandom, mustBeGiven: true })).rejects.toThrow(
    /TURNPIKE_MASTER_KEY: .* found nothing.* openssl rand -base64 32/,
  );
  expect(await readdir(home)).toEqual([]);
});
