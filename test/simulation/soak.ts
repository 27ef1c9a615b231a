import { createCounts } from './faults/counts.ts';
import { simulate } from './simulate.ts';

const PROGRESS_MS = 2_000;

/**
 * One seed after the other until SIGINT or SIGTERM, with a line of progress now and then and a summary at the end.
 * @returns whether every invariant held in every run.
 */
export async function soak({ firstSeed, events }: { readonly firstSeed: number; readonly events: number }): Promise<boolean> {
  let stopping = false;
  const stop = (): void => {
    stopping = true;
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const startedAt = performance.now();
  const counts = createCounts();
  const failed: string[] = [];
  let [seeds, steps, virtualMs, entries, saidAt] = [0, 0, 0, 0, 0];
  const progress = (): string =>
    `${seeds} seeds from ${firstSeed}, ${steps} steps, ${Math.round(virtualMs / 60_000)} virtual minutes, ${entries} entries, ` +
    `${failed.length} failed, ${Math.round((performance.now() - startedAt) / 1_000)} s\n`;

  for (let seed = firstSeed; !stopping; seed++) {
    const run = await simulate({ seed, events });
    seeds += 1;
    steps += run.steps;
    virtualMs += run.virtualMs;
    entries += run.account?.entries ?? 0;
    for (const [name, times] of run.counts) counts.add(name, times);
    if (run.breach !== null) {
      failed.push(`seed ${seed}: ${run.breach.invariant}: ${run.breach.detail}`);
      process.stdout.write(`${failed.at(-1)}\n`);
    }
    if (performance.now() - saidAt < PROGRESS_MS) continue;
    saidAt = performance.now();
    process.stdout.write(progress());
  }
  for (const [name, times] of counts.all()) process.stdout.write(`${String(times).padStart(11)}  ${name}\n`);
  process.stdout.write(progress());
  for (const failure of failed) process.stdout.write(`${failure}\n`);
  return failed.length === 0;
}
