import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { uuidFromId } from '../../../schema/values/ids.ts';
import type { DatabaseConnection } from '../../../services/runtime/postgres.ts';
import type { BenchProcess } from '../bench-process.ts';
import { startBenchProcess } from '../bench-process.ts';
import { describeMachine } from '../describe-machine.ts';
import { furnish, population } from '../holds/budgeted-organization.ts';
import type { HoldJob, HoldResult } from '../holds/hold-job.ts';
import { parseHoldResult } from '../holds/hold-job.ts';
import { startBenchPostgres } from '../ingest/bench-postgres.ts';
import type { Core } from '../pinning.ts';
import { showSpread, spreadOf } from '../spread.ts';
import type { Report, RunOptions, Workload } from '../workload.ts';

const name = 'W7';
const title = 'what budgets cost a request, and holds of one hot budget';
const graceMs = 60_000;
/** Short, and with and without budgets in turn: what else runs on the machine then touches both. */
const requestsPerSlice = 4_000;
const slicesPerSecond = 5;

/** What budgets add to a request, without sockets and disk; and how many holds of one budget two processes make, on a core each. */
export const w7: Workload = { name, title, run, profile: async () => `${name} has no profile: what it measures is part of W1.` };

type Round = {
  readonly withUs: number;
  readonly withoutUs: number;
  readonly addedUs: number;
  readonly addedBytes: number;
  readonly hotPerSecond: number;
  readonly hotUs: number;
};

async function run(options: RunOptions): Promise<Report> {
  await using stack = new AsyncDisposableStack();
  const postgres = stack.adopt(await startBenchPostgres(), (kept) => kept.stop());
  const { url, owner } = await postgres.createDatabase();
  options.onProgress(`making ${population.keys} keys and ${population.budgets} budgets`);
  const { many, hot, hotBudget } = await furnish(owner);
  const start = async (core: Core): Promise<(job: HoldJob) => Promise<HoldResult>> => {
    const file = new URL('../holds/hold-process.ts', import.meta.url);
    const helper: BenchProcess = stack.adopt(await startBenchProcess(file, core, url, randomUUID(), many, hot), (kept) => kept.stop());
    return async (job) => parseHoldResult(await helper.ask(job, graceMs + ('durationMs' in job ? job.durationMs : 0)));
  };
  const first = await start('measured');
  const second = await start('rest');

  const slices = async (seconds: number): Promise<Omit<Round, 'hotPerSecond' | 'hotUs'>> => {
    const found: { readonly withUs: number; readonly withoutUs: number; readonly addedBytes: number }[] = [];
    for (let slice = 0; slice < seconds * slicesPerSecond; slice++) {
      const budgeted = await first({ kind: 'requests', budgeted: true, requests: requestsPerSlice });
      const plain = await first({ kind: 'requests', budgeted: false, requests: requestsPerSlice });
      if (budgeted.refused > 0) problems.add(`${budgeted.refused} of ${budgeted.requests} requests refused though there was room`);
      const addedBytes = (budgeted.bytes - plain.bytes) / requestsPerSlice;
      found.push({ withUs: budgeted.cpuUs / requestsPerSlice, withoutUs: plain.cpuUs / requestsPerSlice, addedBytes });
    }
    const median = (value: (one: (typeof found)[number]) => number): number => spreadOf(found.map(value)).median;
    return {
      withUs: median(({ withUs }) => withUs),
      withoutUs: median(({ withoutUs }) => withoutUs),
      addedUs: median(({ withUs, withoutUs }) => withUs - withoutUs),
      addedBytes: median(({ addedBytes }) => addedBytes),
    };
  };
  const hotHolds = async (seconds: number): Promise<Pick<Round, 'hotPerSecond' | 'hotUs'>> => {
    const job: HoldJob = { kind: 'hot', durationMs: seconds * 1_000 };
    const both = await Promise.all([first(job), second(job)]);
    for (const { refused, requests } of both) {
      if (refused > 0) problems.add(`${refused} of ${requests} holds of the hot budget refused though there was room`);
    }
    const sumOf = (value: (one: HoldResult) => number): number => both.reduce((sum, one) => sum + value(one), 0);
    return {
      hotPerSecond: sumOf(({ requests, elapsedMs }) => (requests * 1_000) / elapsedMs),
      hotUs: sumOf(({ cpuUs }) => cpuUs) / sumOf(({ requests }) => requests),
    };
  };

  const problems = new Set<string>();
  options.onProgress(`warming up for ${options.warmUpSeconds} s`);
  await slices(options.warmUpSeconds);
  await hotHolds(1);
  const rounds: Round[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    const found = { ...(await slices(options.secondsPerRound)), ...(await hotHolds(options.secondsPerRound)) };
    rounds.push(found);
    options.onProgress(
      `round ${round}: ${found.withUs.toFixed(1)} µs with budgets, ${found.withoutUs.toFixed(1)} without; ${found.hotPerSecond.toFixed(0)} holds/s on one budget`,
    );
  }
  const ends = await Promise.all([first({ kind: 'stop' }), second({ kind: 'stop' })]);
  const spent = ends.reduce((sum, end) => sum + BigInt(end.spent), 0n);
  const committed = await committedOf(owner, hotBudget);
  if (committed !== spent)
    problems.add(`${spent} pico-USD were debited to the hot budget, but ${committed} are committed once both have stopped`);

  const row = (label: string, digits: number, value: (one: Round) => number): readonly string[] => [
    label,
    showSpread(spreadOf(rounds.map(value)), digits),
  ];
  return {
    workload: name,
    title,
    conditions: [
      ...describeMachine('One process alone on core 0; PostgreSQL shares core 1, with the second process where there are two.'),
      `${population.keys} keys and ${population.budgets} budgets in PostgreSQL, of which ${population.matching} count each request: one limit each, three in USD, one in tokens, one in requests.`,
      'Gate, leases, draft, settlement, event and sums of the product, its leases out of PostgreSQL; no sockets, no disk. 64 requests open at once.',
      `Slices of ${requestsPerSlice} requests with and without budgets in turn; CPU of all threads. The hot budget: two processes, as fast as they can.`,
      'It counts if nothing is refused, and what is committed of the hot budget at the end is what was debited, to the pico-USD.',
      `${options.rounds} rounds; median (lowest–highest).`,
    ],
    table: [
      ['', 'turnpike'],
      row('**CPU µs that five budgets add to a request**', 1, ({ addedUs }) => addedUs),
      row('CPU µs of the same code with budgets', 1, ({ withUs }) => withUs),
      row('CPU µs without', 1, ({ withoutUs }) => withoutUs),
      row('bytes that five budgets add to the event and its draft', 0, ({ addedBytes }) => addedBytes),
      row('**holds/s of one hot budget, two processes**', 0, ({ hotPerSecond }) => hotPerSecond),
      row('CPU µs of a request with one hold, all of the above', 1, ({ hotUs }) => hotUs),
    ],
    problems: [...problems],
    figures: rounds,
  };
}

async function committedOf({ db }: DatabaseConnection, budgetId: string): Promise<bigint> {
  const budget = uuidFromId('budget', budgetId) ?? budgetId;
  const { rows } = await sql<{ committed: bigint }>`
    select coalesce(sum(committed), 0)::numeric as committed from budget_counters join budget_limits on budget_limits.id = limit_id
    where budget_id = ${budget}`.execute(db);
  return rows[0]?.committed ?? 0n;
}
