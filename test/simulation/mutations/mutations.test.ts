import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { simulate } from '../simulate.ts';
import { MUTATIONS } from './all-mutations.ts';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../main.ts', import.meta.url));

describe('the simulation can fail', () => {
  it('knows at least twelve deliberate bugs', () => {
    expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBeGreaterThanOrEqual(12);
  });

  it.each(MUTATIONS)('notices $name in seed $seed, and nothing there without it', { timeout: 90_000 }, async ({ name, seed, notices }) => {
    // In a process of its own, since a patched file stays patched.
    const { stdout } = await run(process.execPath, [main, '--mutation', name, '--seed', String(seed), '--seeds', '1'], { timeout: 55_000 });
    const { breach } = await simulate({ seed, events: 3_000 });
    expect(breach).toBeNull();
    expect(stdout).toContain(`${name}: seed ${seed}, 1 tried: ${notices}`);
  });
});
