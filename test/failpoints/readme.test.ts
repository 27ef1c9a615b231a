import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { FAILPOINTS } from '../../services/runtime/failpoints/failpoint-catalogue.ts';

const readme = await readFile(new URL('README.md', import.meta.url), 'utf8');

test('README names every failpoint, what it stands for and what it takes, and no other', () => {
  const told = readme.split('\n').filter((line) => /^\| `[a-z]+\.[a-z]+\.[a-z-]+` \|/.test(line));
  const takes = (mayFail: boolean): string => (mayFail ? 'kill, pause, error' : 'kill, pause');
  expect(told).toEqual(Object.entries(FAILPOINTS).map(([name, { at, mayFail }]) => `| \`${name}\` | ${at} | ${takes(mayFail)} |`));
});

test('each of the eighteen failures has a test, and each test that is named exists', async () => {
  const rows = readme.split('\n').filter((line) => /^\| \d+ \|/.test(line));
  expect(rows.map((row) => Number(/^\| (\d+) \|/.exec(row)?.[1]))).toEqual(Array.from({ length: 18 }, (_, index) => index + 1));
  for (const row of rows) {
    const named = [...row.matchAll(/`(test\/[^`]+)`: (.*?)(?=<br>| \|$)/g)];
    expect(named, row).not.toHaveLength(0);
    for (const [, path = '', name = ''] of named) {
      const source = await readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
      expect(source.includes(`'${name}'`) || source.includes(`"${name}"`), `${path}: ${name}`).toBe(true);
    }
  }
});
