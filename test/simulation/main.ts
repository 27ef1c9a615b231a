import { parseArgs } from 'node:util';
import { describeRun } from './describe-run.ts';
import { simulate } from './simulate.ts';
import { soak } from './soak.ts';

const help = `Runs turnpike's accounting under a seeded scheduler, with faults, in virtual time (test/simulation/README.md).

  npm run sim -- [--seed N] [--events M] [--trace]   one run; the last line is "trace <hex>"
  npm run sim -- --soak [--seed N] [--events M]      one seed after the other from N on, until stopped (Ctrl-C)
  npm run sim -- --mutations [--seeds N]             searches, for each deliberate bug, the first seed that notices it
  npm run sim -- --help

  --seed N     the run; the same seed is the same run, to the byte of its trace. Default 1
  --events M   steps under faults and load, before all is healed and the account is settled. Default 3000
  --trace      prints every line of the trace as it comes
  --seeds N    most seeds tried for each mutation. Default 400

Exit status: 0 when every invariant held, 1 when one was broken, 2 when it was called wrongly.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  let options: ReturnType<typeof parse>;
  try {
    options = parse(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    return 2;
  }
  const { seed, events } = options;
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  if (options.soak) return (await soak({ firstSeed: seed, events })) ? 0 : 1;
  const print = options.trace ? { print: (line: string) => void process.stdout.write(`${line}\n`) } : {};
  const run = await simulate({ seed, events, ...print });
  process.stdout.write(describeRun(run));
  return run.breach === null ? 0 : 1;
}

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string', default: '1' },
      events: { type: 'string', default: '3000' },
      seeds: { type: 'string', default: '400' },
      soak: { type: 'boolean', default: false },
      mutations: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return { ...values, seed: count('seed', values.seed), events: count('events', values.events), seeds: count('seeds', values.seeds) };
}

function count(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`--${name}: expected a whole number, found ${text}`);
  return Number(text);
}
