import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { MUTATIONS } from './all-mutations.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

/**
 * Searches each mutation afresh, each in a process of its own, since a patched file stays patched, and prints how many seeds it
 * took. @returns whether all were noticed.
 */
export async function searchAll(options: { readonly seed: number; readonly seeds: number; readonly events: number }): Promise<boolean> {
  let noticed = 0;
  for (const [index, { name }] of MUTATIONS.entries()) {
    process.stderr.write(`[${index + 1} of ${MUTATIONS.length}]\n`);
    if (await search(name, options)) noticed += 1;
  }
  process.stdout.write(`${noticed} of ${MUTATIONS.length} mutations noticed\n`);
  return noticed === MUTATIONS.length;
}

/** What it finds and how it gets on is printed as it comes. */
async function search(
  name: string,
  { seed, seeds, events }: { readonly seed: number; readonly seeds: number; readonly events: number },
): Promise<boolean> {
  const asked = ['--mutation', name, '--seed', String(seed), '--seeds', String(seeds), '--events', String(events)];
  const [code] = await once(spawn(process.execPath, [main, ...asked], { stdio: ['ignore', 'inherit', 'inherit'] }), 'close');
  return code === 0;
}
