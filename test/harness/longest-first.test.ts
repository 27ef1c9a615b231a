import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { longFiles } from './longest-first.ts';

test('each file that is to begin early is there, once', () => {
  const root = new URL('../../', import.meta.url);
  expect(longFiles.filter((file) => !existsSync(fileURLToPath(new URL(file, root))))).toEqual([]);
  expect(new Set(longFiles).size).toBe(longFiles.length);
});
