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
/** So many pushes of one key for each of all keys. */
const ONES_TO_ALL = 2;

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
  const start = () => startBenchProcess(file, 'measured', url, join(folder, 'snapshot.json'));
  const helper = stack.adopt(await start(), (kept) => kept.stop());
  const follow = async (change: string): Promise<PushResult> => {
    await owner.execute(`${change}; update registry_revision set revision = revision + 1`);
    const job: PushJob = { kind: 'follow' };
    return parsePushResult(await helper.ask(job, deadlineMs));
  };
  const one = (): string => `update api_keys set name = '${randomBytes(6).toString('hex')}' where id = (select id from api_keys limit 1)`;
  const all = (): string => `update api_keys set name = '${randomBytes(6).toString('hex')}'`;
  const first = async (): Promise<PushResult> => {
    const started = await start();
    await started.stop();
    return parsePushResult(started.announced);
  };

  options.onProgress(`warming up with ${options.warmUpSeconds * pushesPerSecond} pushes`);
  for (let count = 0; count < options.warmUpSeconds * pushesPerSecond; count++) await follow(one());
  const pushes: Readonly<Record<'one' | 'all' | 'first', PushResult[]>> = { one: [], all: [], first: [] };
  for (let round = 1; round <= options.rounds; round++) {
    for (let count = 0; count < options.secondsPerRound * pushesPerSecond; count++) {
      pushes.one.push(await follow(one()));
      if (count % ONES_TO_ALL === 0) pushes.all.push(await follow(all()));
    }
    pushes.first.push(await first());
    const latest = pushes.all.at(-1);
    options.onProgress(
      `round ${round}: all keys changed, longest turn ${latest?.longestOwnMs.toFixed(1)} ms of its own, ${latest?.longestMs.toFixed(1)} ms by the clock`,
    );
  }
  const kinds = [pushes.one, pushes.all, pushes.first];
  const row = (label: string, digits: number, value: (found: PushResult) => number): readonly string[] => [
    label,
    ...kinds.map((found) => showSpread(spreadOf(found.map(value)), digits)),
  ];
  return {
    workload: name,
    title,
    conditions: [
      ...describeMachine('The measured process is alone on core 0, PostgreSQL is on core 1.'),
      `${population.keys} keys and ${population.budgets} budgets; the proxy’s own reading, compiling and keeping of snapshots, in a process that does nothing else.`,
      'A turn is one round of the event loop: in CPU of its own thread, which is what holds it up; of all threads (the collector’s and the compiler’s share its core here); and by the clock, in which other work on the machine shows.',
      'The last column is the first snapshot of a process that has just begun, with code that is not compiled yet; a proxy serves nothing then.',
      `${pushes.one.length} pushes that change one key, ${pushes.all.length} that change all of them, ${pushes.first.length} starts; median (lowest–highest).`,
    ],
    table: [
      ['', 'one key changed', 'all keys changed', 'first snapshot'],
      row('**longest turn, ms of CPU of the loop’s own thread**', 1, ({ longestOwnMs }) => longestOwnMs),
      row('of the turns without a collection of the whole heap', 1, ({ longestOwnWithoutFullMs }) => longestOwnWithoutFullMs),
      row('longest turn, ms of CPU of all threads', 1, ({ longestCpuMs }) => longestCpuMs),
      row('longest turn, ms', 1, ({ longestMs }) => longestMs),
      row('longest collection of what is young, ms', 1, ({ longestYoungMs }) => longestYoungMs),
      row('until the new snapshot serves, ms', 0, ({ servesAfterMs }) => servesAfterMs),
      row('turns', 0, ({ turns }) => turns),
    ],
    problems: kinds.flat().some(({ keys }) => keys !== population.keys + 1) ? ['a snapshot lacks keys'] : [],
    figures: pushes,
  };
}
