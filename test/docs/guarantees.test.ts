import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const page = await readFile(new URL('../../docs/guarantees.md', import.meta.url), 'utf8');
const promises = page.split('\n').filter((line) => /^\| (?!promise|---)/.test(line));

test('every promise of the guarantees names tests, and each test that is named exists', async () => {
  expect(promises.length).toBeGreaterThan(0);
  for (const row of promises) {
    const named = [...row.matchAll(/`(test\/[^`]+)`: (.*?)(?=<br>| \|$)/g)];
    expect(named, row).not.toHaveLength(0);
    for (const [, path = '', name = ''] of named) {
      const source = await readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
      expect(source.includes(`'${name}'`) || source.includes(`"${name}"`) || source.includes(`\`${name}: `), `${path}: ${name}`).toBe(true);
    }
  }
});
