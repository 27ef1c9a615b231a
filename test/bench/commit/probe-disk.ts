import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const everyMs = 100;
const bytes = Buffer.alloc(8_192);

/**
 * Appends a page to a file of its own and syncs it, ten times a second, beside what is measured: what the disk alone takes of the
 * time a commit needs. @returns the length of each sync in milliseconds.
 */
export function probeDisk(): { readonly stop: () => Promise<readonly number[]> } {
  const syncsMs: number[] = [];
  let stopping = false;
  const run = async (): Promise<void> => {
    const folder = await mkdtemp(join(tmpdir(), 'turnpike-bench-disk-'));
    const file = await open(join(folder, 'probe'), 'a');
    try {
      while (!stopping) {
        await file.write(bytes);
        const startedAt = performance.now();
        await file.datasync();
        syncsMs.push(performance.now() - startedAt);
        await new Promise((resolve) => setTimeout(resolve, everyMs));
      }
    } finally {
      await file.close();
      await rm(folder, { recursive: true, force: true });
    }
  };
  const ended = run();
  return {
    stop: async () => {
      stopping = true;
      await ended;
      return syncsMs;
    },
  };
}
