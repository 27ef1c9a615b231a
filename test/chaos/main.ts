import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { findKafkaRuntime, KafkaMissing } from '../harness/kafka-runtime.ts';
import { runBudget } from './budget/run-budget.ts';
import { describeReport, pictureOf } from './chaos-report.ts';
import { chaosHelp, parseCommandLine } from './command-line.ts';
import { drawReport } from './draw-report.ts';
import { runChaos } from './run-chaos.ts';
import { describeOutage, runOutage } from './run-outage.ts';
import { writeReport } from './write-report.ts';

const reportsFolder = '.chaos';

async function main(): Promise<number> {
  const command = parseCommandLine(process.argv.slice(2), () => randomInt(2 ** 32));
  const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
  switch (command.kind) {
    case 'help':
      process.stdout.write(chaosHelp);
      return 0;
    case 'mistake':
      process.stderr.write(`${command.fault}\n\n${chaosHelp}`);
      return 2;
    case 'chaos': {
      const { seed, loadMs, ratePerSecond, out } = command;
      onProgress(`seed ${seed}, ${loadMs / 60_000} minutes at ${ratePerSecond} requests a second`);
      const report = await runChaos({ seed, loadMs, ratePerSecond, runtime: await findKafkaRuntime(), onProgress });
      const text = describeReport(report);
      const folder = await writeReport(out ?? join(reportsFolder, `seed-${seed}`), {
        text,
        json: report,
        svg: drawReport(pictureOf(report)),
      });
      process.stdout.write(`\n${text}\n\nreport.txt, report.json and report.svg are in ${folder}\n`);
      return report.problems.length === 0 ? 0 : 1;
    }
    case 'budget': {
      const { seed, forMs } = command;
      onProgress(`seed ${seed}, for ${forMs / 60_000} minutes`);
      const { rounds, problems, restarts } = await runBudget({
        seed,
        forMs,
        atOnce: 256,
        mostLoadMs: 5_000,
        mostRecoveries: 3,
        patient: true,
        onProgress,
      });
      const restarted = Object.entries(restarts).map(([name, times]) => `${name} ${times}`);
      process.stdout.write(`\nseed ${seed}: ${rounds.length} dollars spent; started again: ${restarted.join(', ')}\n`);
      process.stdout.write(problems.length === 0 ? 'overspent: nothing\n' : `PROBLEMS:\n  ${problems.join('\n  ')}\n`);
      return problems.length === 0 ? 0 : 1;
    }
    case 'outage': {
      const { outageMs, ratePerSecond, out } = command;
      const report = await runOutage({ outageMs, ratePerSecond, quietMs: 15_000, runtime: await findKafkaRuntime(), onProgress });
      const { picture, ...json } = report;
      const text = describeOutage(report);
      const folder = await writeReport(out ?? join(reportsFolder, `outage-${outageMs / 1_000}s`), { text, json, svg: drawReport(picture) });
      process.stdout.write(`\n${text}\n\nreport.txt, report.json and report.svg are in ${folder}\n`);
      return report.problems.length === 0 ? 0 : 1;
    }
  }
}

process.exitCode = await main().catch((error: unknown) => {
  if (!(error instanceof KafkaMissing)) throw error;
  process.stderr.write(`${error.message}\n`);
  return 1;
});
