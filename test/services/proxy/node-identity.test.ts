import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { giveUpNodeId, readNodeId } from '../../../services/proxy/node-identity.ts';
import { systemClock } from '../../../services/runtime/clock.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

test('a proxy has one id until it gives it up, and another one from then on', async () => {
  const path = join(await temporaryFolder(), 'node');
  const read = (): Promise<string> => readNodeId(path, systemClock, systemRandom);
  const first = await read();
  expect(await read()).toBe(first);
  await giveUpNodeId(path);
  const second = await read();
  expect([await read(), second === first]).toEqual([second, false]);
  expect(await readFile(`${path}.given-up`, 'utf8')).toBe(`${first}\n`);
});
