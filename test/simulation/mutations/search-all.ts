import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { MUTATIONS } from './all-mutations.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

/**
 * Searches each mutation afresh, each in a process of its own, since a patched file stays patched, and prints how many seeds it
 * took. @returns whether all were noticed.
 */
export async function searchAll(options: { readonly seed: number; readonly seeds: number; readonly events: number }): Promise<boolean> {
  let noticed = 0;
  for (const { name } of MUTATIONS) if (await search(name, options)) noticed += 1;
  process.stdout.write(`${noticed} of ${MUTATIONS.length} mutations noticed\n`);
  return noticed === MUTATIONS.length;
}

function search(
  name: string,
  { seed, seeds, events }: { readonly seed: number; readonly seeds: number; readonly events: number },
): Promise<boolean> {
  const asked = ['--mutation', name, '--seed', String(seed), '--seeds', String(seeds), '--events', String(events)];
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...asked], (error, stdout, stderr) => {
      process.stdout.write(error === null || stdout !== '' ? stdout : `${name}: ${stderr}`);
      resolve(error === null);
    });
  });
}
