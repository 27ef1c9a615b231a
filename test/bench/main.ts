import { OPTIONS_HELP, parseCommandLine } from './command-line.ts';
import { PeerNotReady } from './targets/peer.ts';
import type { Workload } from './workload.ts';
import { commit } from './workloads/commit.ts';
import { ingest, ingestKafka } from './workloads/ingest.ts';
import { push } from './workloads/push.ts';
import { w1 } from './workloads/w1.ts';
import { w5 } from './workloads/w5.ts';
import { w7 } from './workloads/w7.ts';
import { reportAsMarkdown, writeReport } from './write-report.ts';

const workloads: readonly Workload[] = [w1, w5, w7, ingest, ingestKafka, commit, push];

const help = `npm run bench -- <workload> [options]
npm run bench -- --peer <url> [options]

${workloads.map(({ name, title }) => `  ${name.padEnd(12)} ${title}`).join('\n')}

${OPTIONS_HELP}

It takes over both cores and is never part of the tests. Ends with 1 where the run does not count.
`;

async function runBench(): Promise<number> {
  const command = parseCommandLine(process.argv.slice(2), (variable) => process.env[variable]);
  if (command.kind === 'help') {
    process.stdout.write(help);
    return 0;
  }
  if (command.kind === 'mistake') {
    process.stderr.write(`${command.fault}\n\n${help}`);
    return 2;
  }
  const workload = workloads.find(({ name }) => name.toLowerCase() === command.workload.toLowerCase());
  if (workload === undefined) {
    process.stderr.write(`There is no workload ${command.workload}.\n\n${help}`);
    return 2;
  }
  const options = { ...command.options, onProgress: (line: string): void => void process.stderr.write(`${line}\n`) };
  if (command.profile) {
    process.stdout.write(`${await workload.profile(options)}\n`);
    return 0;
  }
  const report = await workload.run(options);
  process.stdout.write(command.json ? `${JSON.stringify(report, null, 2)}\n` : `\n${reportAsMarkdown(report)}\n`);
  if (command.write && report.problems.length === 0) await writeReport(report, new Date().toISOString().slice(0, 10));
  return report.problems.length === 0 ? 0 : 1;
}

process.exitCode = await runBench().catch((error: unknown) => {
  if (!(error instanceof PeerNotReady)) throw error;
  process.stderr.write(`${error.message}\n`);
  return 1;
});
