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

  // A change of the ledger's own schedule moves every run: from its pinned seed on, a bug has this many to be seen in.
  const SEEDS = 150;

  it.each(MUTATIONS)('notices $name, and nothing there without it', { timeout: 90_000 }, async ({ name, seed }) => {
    // In a process of its own, since a patched file stays patched.
    const argv = [main, '--mutation', name, '--seed', String(seed), '--seeds', String(SEEDS)];
    const { stdout } = await run(process.execPath, argv, { timeout: 80_000 });
    const noticedIn = new RegExp(`${name}: seed (\\d+), \\d+ tried: `).exec(stdout)?.[1];
    expect(noticedIn, stdout).toBeDefined();
    const { breach } = await simulate({ seed: Number(noticedIn), events: 3_000 });
    expect(breach).toBeNull();
  });
});
