import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { simulate } from './simulate.ts';

const run = promisify(execFile);
const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** The last line of a run in a process of its own. */
async function traceOfProcess(seed: number, events: number): Promise<string | undefined> {
  const { stdout } = await run(process.execPath, [main, '--seed', String(seed), '--events', String(events)], { timeout: 60_000 });
  return stdout.trimEnd().split('\n').at(-1);
}

describe('a seed', () => {
  it.each([3, 5, 7])(
    'is the same run to the byte of its trace, here and in two other processes: %i',
    { timeout: 120_000 },
    async (seed) => {
      const first = await simulate({ seed, events: 1_500 });
      const second = await simulate({ seed, events: 1_500 });
      expect(second.trace).toBe(first.trace);
      expect(await Promise.all([traceOfProcess(seed, 1_500), traceOfProcess(seed, 1_500)])).toEqual([
        `trace ${first.trace}`,
        `trace ${first.trace}`,
      ]);
    },
  );

  it('is another run than its neighbour', async () => {
    const [one, other] = [await simulate({ seed: 1, events: 300 }), await simulate({ seed: 2, events: 300 })];
    expect(one.trace).not.toBe(other.trace);
  });
});
