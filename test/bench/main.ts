import { parseArgs } from 'node:util';
import type { RunOptions, Workload } from './workload.ts';
import { ingest, ingestKafka } from './workloads/ingest.ts';
import { w1 } from './workloads/w1.ts';
import { reportAsMarkdown, writeReport } from './write-report.ts';

const workloads: readonly Workload[] = [w1, ingest, ingestKafka];

const help = `npm run bench -- <workload> [options]

${workloads.map(({ name, title }) => `  ${name.padEnd(12)} ${title}`).join('\n')}

  --rounds <n>    rounds, interleaved (3)
  --seconds <n>   length of a round (10)
  --warm-up <n>   seconds of load before the first round (5)
  --profile       no figures: samples the measured process under this load and names its costliest functions
  --json          every figure of every round, as JSON
  --write         put the result into test/bench/README.md
  --help

It takes over both cores and is never part of the tests. Ends with 1 where the run does not count.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    'warm-up': { type: 'string', default: '5' },
    profile: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 3_600) return value;
  throw new RangeError(`--${name}: expected a whole number from 1 to 3600, found ${text}`);
}

async function runBench(): Promise<number> {
  const workload = workloads.find(({ name }) => name.toLowerCase() === positionals[0]?.toLowerCase());
  if (values.help || workload === undefined || positionals.length > 1) {
    process.stdout.write(help);
    return values.help ? 0 : 2;
  }
  const options: RunOptions = {
    rounds: whole('rounds', values.rounds),
    secondsPerRound: whole('seconds', values.seconds),
    warmUpSeconds: whole('warm-up', values['warm-up']),
    onProgress: (line) => process.stderr.write(`${line}\n`),
  };
  if (values.profile) {
    process.stdout.write(`${await workload.profile(options)}\n`);
    return 0;
  }
  const report = await workload.run(options);
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : `\n${reportAsMarkdown(report)}\n`);
  if (values.write && report.problems.length === 0) await writeReport(report, new Date().toISOString().slice(0, 10));
  return report.problems.length === 0 ? 0 : 1;
}

process.exitCode = await runBench();
