import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { GROWTH_FLAG, letHeapGrow } from '../../../services/runtime/heap-growth.ts';

const run = promisify(execFile);

test('this V8 has the flag that lets the heap grow, and takes it while it runs', async () => {
  const { stdout } = await run(process.execPath, ['--v8-options'], { maxBuffer: 16 * 1024 ** 2 });
  expect(stdout).toContain(`${GROWTH_FLAG} `);
  expect(letHeapGrow).not.toThrow();
});
