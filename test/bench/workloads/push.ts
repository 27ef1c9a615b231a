import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBenchProcess } from '../bench-process.ts';
import { describeMachine } from '../describe-machine.ts';
import { furnish, population } from '../holds/budgeted-organization.ts';
import { type PushJob, type PushResult, parsePushResult } from '../holds/push-job.ts';
import { startBenchPostgres } from '../ingest/bench-postgres.ts';
import { showSpread, spreadOf } from '../spread.ts';
import type { Report, RunOptions, Workload } from '../workload.ts';

const name = 'push';
const title = 'how long a change of the configuration holds up the proxy';
const deadlineMs = 60_000;
const pushesPerSecond = 1;

/** A key changes among many: how long is the longest turn of the event loop until the new snapshot serves and is on disk. */
export const push: Workload = { name, title, run, profile: async () => `${name} has no profile.` };

async function run(options: RunOptions): Promise<Report> {
  await using stack = new AsyncDisposableStack();
  const postgres = stack.adopt(await startBenchPostgres(), (kept) => kept.stop());
  const { url, owner } = await postgres.createDatabase();
  options.onProgress(`making ${population.keys} keys and ${population.budgets} budgets`);
  await furnish(owner);
  const folder = await mkdtemp(join(tmpdir(), 'turnpike-bench-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const file = new URL('../holds/push-process.ts', import.meta.url);
  const helper = stack.adopt(await startBenchProcess(file, 'measured', url, join(folder, 'snapshot.json')), (kept) => kept.stop());
  const follow = async (change: string): Promise<PushResult> => {
    await owner.execute(`${change}; update registry_revision set revision = revision + 1`);
    const job: PushJob = { kind: 'follow' };
    return parsePushResult(await helper.ask(job, deadlineMs));
  };
  const one = (): string => `update api_keys set name = '${randomBytes(6).toString('hex')}' where id = (select id from api_keys limit 1)`;
  const all = (): string => `update api_keys set name = '${randomBytes(6).toString('hex')}'`;

  options.onProgress(`warming up with ${options.warmUpSeconds * pushesPerSecond} pushes`);
  for (let count = 0; count < options.warmUpSeconds * pushesPerSecond; count++) await follow(one());
  const small: PushResult[] = [];
  const large: PushResult[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    for (let count = 0; count < options.secondsPerRound * pushesPerSecond; count++) small.push(await follow(one()));
    large.push(await follow(all()));
    const latest = small.at(-1);
    options.onProgress(
      `round ${round}: longest turn ${latest?.longestCpuMs.toFixed(1)} ms of CPU, ${latest?.longestMs.toFixed(1)} ms by the clock`,
    );
  }
  const row = (label: string, digits: number, value: (found: PushResult) => number): readonly string[] => [
    label,
    showSpread(spreadOf(small.map(value)), digits),
    showSpread(spreadOf(large.map(value)), digits),
  ];
  return {
    workload: name,
    title,
    conditions: [
      ...describeMachine('The measured process is alone on core 0, PostgreSQL is on core 1.'),
      `${population.keys} keys and ${population.budgets} budgets; the proxy’s own reading, compiling and keeping of snapshots, in a process that does nothing else.`,
      'A turn is one round of the event loop, in CPU of all threads of the process (the collector’s too) and by the clock, in which other work on the machine shows.',
      `${small.length} pushes that change one key and ${large.length} that change all of them; median (lowest–highest).`,
    ],
    table: [
      ['', 'one key changed', 'all keys changed'],
      row('**longest turn, CPU ms**', 1, ({ longestCpuMs }) => longestCpuMs),
      row('longest turn, ms', 1, ({ longestMs }) => longestMs),
      row('until the new snapshot serves, ms', 0, ({ servesAfterMs }) => servesAfterMs),
      row('turns', 0, ({ turns }) => turns),
    ],
    problems: [...small, ...large].some(({ keys }) => keys !== population.keys + 1) ? ['a snapshot lacks keys'] : [],
    figures: { small, large },
  };
}
