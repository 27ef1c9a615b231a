import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { missingOptionalPackages } from '../../../infra/bootstrap/complete-lock.mjs';

function read(name: string) {
  return JSON.parse(readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8'));
}

test('an optional platform package that the lock file lacks is added with its platform', () => {
  const packages = {
    'node_modules/tool': {
      version: '1.0.0',
      dev: true,
      optionalDependencies: { '@tool/linux-x64-musl': '1.0.0', '@tool/win32-arm64-msvc': '1.0.0' },
    },
    'node_modules/@tool/win32-arm64-msvc': { version: '1.0.0' },
  };
  expect(missingOptionalPackages(packages)).toEqual({
    'node_modules/@tool/linux-x64-musl': { version: '1.0.0', dev: true, optional: true, os: ['linux'], cpu: ['x64'], libc: ['musl'] },
  });
});

test('a missing package whose platform its name does not tell is refused, not guessed', () => {
  expect(() => missingOptionalPackages({ 'node_modules/tool': { optionalDependencies: { extra: '1.0.0' } } })).toThrow(/extra@1\.0\.0/);
});

test('npm ci accepts our lock file: no optional package is left out', () => {
  expect(missingOptionalPackages(read('package-lock.json').packages)).toEqual({});
});

test('every dependency is pinned to one exact version', () => {
  const { dependencies, devDependencies, optionalDependencies } = read('package.json');
  for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
    expect(range, name).toMatch(/^(npm:[a-z0-9@/-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/);
  }
});

test('no install script can run: each package that has one is denied by name', () => {
  const { allowScripts } = read('package.json');
  const packages: Record<string, { hasInstallScript?: boolean }> = read('package-lock.json').packages;
  const scripted = Object.keys(packages).filter((path) => packages[path]?.hasInstallScript);
  expect(scripted).not.toEqual([]);
  for (const path of scripted) expect(allowScripts, path).toHaveProperty([path.replace(/^.*node_modules\//, '')], false);
});

test('the lock file names packages by their content, never by a host', () => {
  expect(JSON.stringify(read('package-lock.json').packages)).not.toMatch(/"resolved"/);
});

test('there is one copy of graphql', () => {
  expect(Object.keys(read('package-lock.json').packages).filter((path) => path.endsWith('node_modules/graphql'))).toEqual([
    'node_modules/graphql',
  ]);
});
