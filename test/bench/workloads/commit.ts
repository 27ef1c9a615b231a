import type { CommitTime } from '../commit/commit-times.ts';
import { commitTimes } from '../commit/commit-times.ts';
import { probeDisk } from '../commit/probe-disk.ts';
import { watchCommits } from '../commit/watch-commits.ts';
import { describeMachine } from '../describe-machine.ts';
import type { Measurement } from '../measure.ts';
import { createMeter, startLoadGenerator } from '../measure.ts';
import { describeProfile } from '../profile/describe-profile.ts';
import { profilable, profileProcess } from '../profile/profile-process.ts';
import { showSpread, spreadOf } from '../spread.ts';
import type { Gateway } from '../targets/gateway.ts';
import { startGateway } from '../targets/gateway.ts';
import { startUpstream } from '../targets/local-targets.ts';
import type { Report, RunOptions, Workload } from '../workload.ts';

const title = 'from the end of an answer to its entry, committed, at 1,000 requests a second';
const ratePerSecond = 1_000;
/** Enough that nothing waits for a connection. */
const connections = 256;
const body = JSON.stringify({
  model: 'bench/echo',
  messages: [
    { role: 'user', content: 'Name a line of verse that everybody half remembers, and say in a sentence or two where it comes from.' },
  ],
  max_tokens: 256,
});

/** How old the books are: what an answer's entry takes to be there for everybody, everything on, on two cores. */
export const commit: Workload = { name: 'commit', title, run, profile };

/** What one round found, in milliseconds. */
type Round = Pick<Measurement, 'requestsPerSecond' | 'cpuUsPerRequest'> & {
  readonly commitMs: Percentiles;
  readonly toRowMs: Percentiles;
  readonly toCommitMs: Percentiles;
  readonly diskSyncMs: Percentiles;
};
type Percentiles = { readonly p50: number; readonly p99: number; readonly max: number };

async function run(options: RunOptions): Promise<Report> {
  await using stack = new AsyncDisposableStack();
  const generator = stack.adopt(await startLoadGenerator(), (kept) => kept.stop());
  const direct = stack.adopt(await startUpstream(body), (kept) => kept.stop());
  options.onProgress('starting the product');
  const gateway = stack.adopt(await startGateway({ upstreamOrigin: direct.request.origin, body, expected: direct.expected }), (kept) =>
    kept.stop(),
  );
  const measure = createMeter(generator);
  const load = { connections, ratePerSecond, sleeps: true, notesAnswers: true };
  options.onProgress(`warming up for ${options.warmUpSeconds} s`);
  const warm = await measure(gateway, { ...load, durationMs: options.warmUpSeconds * 1_000 });
  const problems = [...warm.problems];

  const rounds: Round[] = [];
  for (let number = 1; number <= options.rounds; number++) {
    const found = await round(gateway, () => measure(gateway, { ...load, durationMs: options.secondsPerRound * 1_000 }));
    problems.push(...found.problems);
    rounds.push(found);
    const { commitMs, toRowMs, diskSyncMs } = found;
    options.onProgress(
      `round ${number}: answer to commit p50 ${commitMs.p50.toFixed(0)} ms, p99 ${commitMs.p99.toFixed(0)}, max ${commitMs.max.toFixed(0)}; ` +
        `to the row p99 ${toRowMs.p99.toFixed(0)}; disk sync p99 ${diskSyncMs.p99.toFixed(1)}`,
    );
  }
  const row = (name: string, digits: number, value: (one: Round) => number): readonly string[] => [
    name,
    showSpread(spreadOf(rounds.map(value)), digits),
  ];
  return {
    workload: commit.name,
    title,
    conditions: [
      ...describeMachine(),
      `${ratePerSecond} requests a second offered open loop at even distances, embedded event log and PostgreSQL, both syncing; every request is in the ledger.`,
      'From the last byte at the client to the first look from outside, one every 5 ms, that shows the entry committed; one clock for both.',
      `${options.rounds} rounds of ${options.secondsPerRound} s after ${options.warmUpSeconds} s of warm-up; median (lowest–highest).`,
    ],
    table: [
      ['', 'turnpike'],
      row('answer to commit p50, ms', 0, (one) => one.commitMs.p50),
      row('**answer to commit p99, ms**', 0, (one) => one.commitMs.p99),
      row('answer to commit, longest, ms', 0, (one) => one.commitMs.max),
      row('of it until the row is written p99, ms', 0, (one) => one.toRowMs.p99),
      row('of it from the row to its commit p99, ms', 0, (one) => one.toCommitMs.p99),
      row('beside it: one sync of the disk p99, ms', 1, (one) => one.diskSyncMs.p99),
      row('beside it: one sync of the disk, longest, ms', 0, (one) => one.diskSyncMs.max),
      row('requests/s answered', 0, (one) => one.requestsPerSecond),
      row('CPU µs per request: proxy', 0, (one) => one.cpuUsPerRequest ?? Number.NaN),
    ],
    problems,
    figures: rounds,
  };
}

async function round(gateway: Gateway, load: () => Promise<Measurement>): Promise<Round & { readonly problems: readonly string[] }> {
  const watch = watchCommits(gateway.books);
  const disk = probeDisk();
  const found = await load();
  const [looks, syncs] = await Promise.all([watch.stop(), disk.stop()]);
  const { times, missing } = await commitTimes(gateway.books, found.answers, looks);
  const of = (value: (time: CommitTime) => number): Percentiles => percentiles(times.map(value));
  return {
    requestsPerSecond: found.requestsPerSecond,
    cpuUsPerRequest: found.cpuUsPerRequest,
    commitMs: of(({ toRowMs, toCommitMs }) => toRowMs + toCommitMs),
    toRowMs: of(({ toRowMs }) => toRowMs),
    toCommitMs: of(({ toCommitMs }) => toCommitMs),
    diskSyncMs: percentiles(syncs),
    problems: [...found.problems, ...(missing === 0 ? [] : [`${missing} answers were not seen committed`])],
  };
}

/** Nearest rank. */
function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((left, right) => left - right);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

async function profile(options: RunOptions): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const generator = stack.adopt(await startLoadGenerator(), (kept) => kept.stop());
  const direct = stack.adopt(await startUpstream(body), (kept) => kept.stop());
  const gateway = stack.adopt(
    await startGateway({ upstreamOrigin: direct.request.origin, body, expected: direct.expected, environment: profilable }),
    (kept) => kept.stop(),
  );
  const measure = createMeter(generator);
  let requests = 0;
  const profiled = await profileProcess(gateway.pid, gateway.output, async () => {
    const found = await measure(gateway, { connections, ratePerSecond, sleeps: true, durationMs: options.secondsPerRound * 1_000 });
    requests = found.requests;
  });
  return describeProfile(profiled, requests);
}
