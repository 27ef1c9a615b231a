import { describeMachine } from '../describe-machine.ts';
import type { MakeBacklog } from '../ingest/backlog.ts';
import { embeddedBacklog, kafkaBacklog } from '../ingest/backlog.ts';
import { startBenchPostgres } from '../ingest/bench-postgres.ts';
import type { Drain } from '../ingest/drain.ts';
import { drain } from '../ingest/drain.ts';
import { population } from '../ingest/ledger-events.ts';
import type { Profile } from '../profile/describe-profile.ts';
import { describeProfile } from '../profile/describe-profile.ts';
import { profilable, profileProcess } from '../profile/profile-process.ts';
import { showSpread, spreadOf } from '../spread.ts';
import type { Report, RunOptions, Workload } from '../workload.ts';

/** What a second of a round is worth: the target's rate (issue: 20,000 entries a second). */
const perSecond = 20_000;

/** What an entry costs the ledger, rollups and offset in its transaction, out of the embedded log … */
export const ingest = workload('ingest', 'a backlog of the embedded event log into the books, by one ledger process', embeddedBacklog);
/** … and out of Kafka. */
export const ingestKafka = workload('ingest-kafka', 'a backlog of Kafka into the books, by one ledger process', kafkaBacklog);

function workload(name: string, title: string, makeBacklog: MakeBacklog): Workload {
  return {
    name,
    title,
    run: (options) => run({ name, title }, makeBacklog, options),
    profile: (options) => profile(makeBacklog, options),
  };
}

async function run({ name, title }: Pick<Workload, 'name' | 'title'>, makeBacklog: MakeBacklog, options: RunOptions): Promise<Report> {
  await using stack = new AsyncDisposableStack();
  const postgres = stack.adopt(await startBenchPostgres(), (kept) => kept.stop());
  const entries = options.secondsPerRound * perSecond;
  options.onProgress(`warming up with ${options.warmUpSeconds * perSecond} entries`);
  await drain({ postgres, makeBacklog, entries: options.warmUpSeconds * perSecond, perSecond });
  const drains: Drain[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    const found = await drain({ postgres, makeBacklog, entries, perSecond });
    drains.push(found);
    options.onProgress(
      `round ${round}: ${found.entriesPerSecond.toFixed(0)} entries/s; CPU µs/entry: ledger ${found.ledgerCpuUsPerEntry.toFixed(1)}, ` +
        `posting backends ${found.postingCpuUsPerEntry.toFixed(1)}, rest of PostgreSQL ${found.otherPostgresCpuUsPerEntry.toFixed(1)}; ` +
        `${found.entriesPerTransaction.toFixed(0)} entries/transaction`,
    );
  }
  const row = (name: string, digits: number, value: (one: Drain) => number): readonly string[] => [
    name,
    showSpread(spreadOf(drains.map(value)), digits),
  ];
  return {
    workload: name,
    title,
    conditions: [
      ...describeMachine('The ledger is alone on core 0, PostgreSQL (fsync on) and Kafka share core 1 with whatever else runs.'),
      `The ledger as delivered; ${entries} events of ${population.organizations} organizations, ` +
        `${population.organizations * population.keysPerOrganization} keys with ${population.modelsPerKey} of ${population.models} models each; their times are ${perSecond} a second.`,
      'It counts if entries = events and every rollup row is what its entries sum to.',
      `${options.rounds} rounds, each into a database of its own; median (lowest–highest).`,
    ],
    table: [
      ['', 'turnpike'],
      row('**entries/s**', 0, (one) => one.entriesPerSecond),
      row('CPU µs per entry: ledger process', 1, (one) => one.ledgerCpuUsPerEntry),
      row('CPU µs per entry: backends that post', 1, (one) => one.postingCpuUsPerEntry),
      row('CPU µs per entry: sequencer’s backend, WAL, checkpoints', 1, (one) => one.otherPostgresCpuUsPerEntry),
      row('entries per transaction', 0, (one) => one.entriesPerTransaction),
      row('transaction p50, ms', 0, (one) => one.transactionMs.p50),
      row('transaction p99, ms', 0, (one) => one.transactionMs.p99),
    ],
    problems: drains.flatMap(({ problems }) => problems),
    figures: drains,
  };
}

async function profile(makeBacklog: MakeBacklog, options: RunOptions): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const postgres = stack.adopt(await startBenchPostgres(), (kept) => kept.stop());
  const entries = options.secondsPerRound * perSecond;
  let profiled: Profile | null = null;
  await drain({
    postgres,
    makeBacklog,
    entries,
    perSecond,
    environment: profilable,
    whileRunning: async (pid, output, done) => {
      profiled = await profileProcess(pid, output, done);
    },
  });
  return profiled === null ? '' : describeProfile(profiled, entries);
}
