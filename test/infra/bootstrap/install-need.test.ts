import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { installNeed, installStamp } from '../../../infra/bootstrap/install-need.mjs';

const packages = {
  '': { name: 'project' },
  'node_modules/always': { version: '1.0.0' },
  'node_modules/for-linux': { version: '2.0.0', optional: true, os: ['linux'], cpu: ['x64'] },
  'node_modules/for-musl': { version: '2.0.0', optional: true, os: ['linux'], cpu: ['x64'], libc: ['musl'] },
  'node_modules/for-mac': { version: '2.0.0', optional: true, os: ['darwin'] },
  'node_modules/only-for-that': { version: '2.0.0', optional: true },
};
const root = new URL('../../../', import.meta.url);

const clean = {
  lock: JSON.stringify({ packages }),
  manifest: JSON.stringify({ scripts: { start: 'one' }, dependencies: { always: '1.0.0' } }),
  stamp: null,
  installed: null,
  platform: 'linux',
  arch: 'x64',
};
const complete = { ...clean, stamp: installStamp(clean) };

function installedByNpm(changes: Record<string, unknown>): string {
  return JSON.stringify({
    packages: { 'node_modules/always': { version: '1.0.0' }, 'node_modules/for-linux': { version: '2.0.0' }, ...changes },
  });
}

test('a clean clone needs an install', () => {
  expect(installNeed(clean)).toMatch(/first start/);
});

test('a complete install is not repeated', () => {
  expect(installNeed(complete)).toBeNull();
});

test.each([
  ['the lock file', { lock: JSON.stringify({ packages: { ...packages, 'node_modules/new': { version: '1.0.0' } } }) }],
  ['the dependencies', { manifest: JSON.stringify({ dependencies: { always: '1.0.1' } }) }],
  ['the platform', { platform: 'darwin' }],
  ['the processor', { arch: 'arm64' }],
])('a change of %s needs an install', (_what, change) => {
  expect(installNeed({ ...complete, ...change })).toMatch(/has changed/);
});

test('a change of scripts needs none', () => {
  expect(
    installNeed({ ...complete, manifest: JSON.stringify({ scripts: { start: 'two' }, dependencies: { always: '1.0.0' } }) }),
  ).toBeNull();
});

test('an install that npm completed by itself counts, without the packages of other platforms', () => {
  expect(installNeed({ ...clean, installed: installedByNpm({}) })).toBeNull();
});

test('our own node_modules, as npm left it, counts', () => {
  const [lock, manifest, installed] = ['package-lock.json', 'package.json', 'node_modules/.package-lock.json'].map((file) =>
    readFileSync(new URL(file, root), 'utf8'),
  );
  const { platform, arch } = process;
  expect(installNeed({ lock: lock ?? '', manifest: manifest ?? '', installed: installed ?? '', stamp: null, platform, arch })).toBeNull();
});

test.each([
  ['lacks a package', installedByNpm({ 'node_modules/always': undefined })],
  ['lacks an optional package of this platform', installedByNpm({ 'node_modules/for-linux': undefined })],
  ['holds another version', installedByNpm({ 'node_modules/always': { version: '0.9.0' } })],
  ['holds a package that is no longer wanted', installedByNpm({ 'node_modules/gone': { version: '1.0.0' } })],
  ['is cut off', installedByNpm({}).slice(0, 40)],
])('an install that %s does not count', (_what, installed) => {
  expect(installNeed({ ...clean, installed })).not.toBeNull();
});
