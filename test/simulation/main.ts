import { parseArgs } from 'node:util';
import { MUTATIONS } from './mutations/all-mutations.ts';
import type { Mutation } from './mutations/mutation.ts';
import { searchAll } from './mutations/search-all.ts';
import { applySourcePatch } from './mutations/source-patch.ts';

type Simulate = typeof import('./simulate.ts').simulate;

const help = `Runs turnpike's accounting under a seeded scheduler, with faults, in virtual time (test/simulation/README.md).

  npm run sim -- [--seed N] [--events M] [--trace]   one run; the last line is "trace <hex>"
  npm run sim -- --soak [--seed N] [--events M]      one seed after the other from N on, until stopped (Ctrl-C)
  npm run sim -- --mutations [--seeds N]             searches, for each deliberate bug, the first seed that notices it
  npm run sim -- --mutation NAME [--seed N]          the same for one of them, from seed N on
  npm run sim -- --help

  --seed N     the run; the same seed is the same run, to the byte of its trace. Default 1
  --events M   steps under faults and load, before all is healed and the account is settled. Default 3000
  --trace      prints every line of the trace as it comes
  --seeds N    most seeds tried for each mutation; the rarest takes some thousands. Default 6000

Exit status: 0 when every invariant held, 1 when one was broken, 2 when it was called wrongly.
`;

/** A search of a rare one takes minutes: how often it says that it goes on. */
const progressMs = 10_000;

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
  if (options.mutations) return (await searchAll(options)) ? 0 : 1;
  const mutation = MUTATIONS.find(({ name }) => name === options.mutation);
  if (options.mutation !== '' && mutation === undefined) {
    process.stderr.write(`There is no mutation "${options.mutation}". These are: ${MUTATIONS.map(({ name }) => name).join(', ')}\n`);
    return 2;
  }
  if (mutation?.patch !== undefined) applySourcePatch(mutation.patch);
  // Not before: a patched file must not have been loaded.
  const { simulate } = await import('./simulate.ts');
  if (mutation !== undefined) return (await searchMutation(mutation, options, simulate)) ? 0 : 1;
  if (options.soak) {
    const { soak } = await import('./soak.ts');
    return (await soak({ firstSeed: seed, events })) ? 0 : 1;
  }
  const { describeRun } = await import('./describe-run.ts');
  const print = options.trace ? { print: (line: string) => void process.stdout.write(`${line}\n`) } : {};
  const run = await simulate({ seed, events, ...print });
  process.stdout.write(describeRun(run));
  return run.breach === null ? 0 : 1;
}

/** Runs seeds with a mutation until one notices it, and says which. @returns whether one did. */
async function searchMutation(
  { name, tampering }: Mutation,
  { seed: firstSeed, seeds, events }: { readonly seed: number; readonly seeds: number; readonly events: number },
  simulate: Simulate,
): Promise<boolean> {
  let toldMs = performance.now();
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    if (performance.now() - toldMs > progressMs) {
      toldMs = performance.now();
      process.stderr.write(`  ${name}: ${seed - firstSeed} of at most ${seeds} seeds tried, not noticed yet\n`);
    }
    const { breach } = await simulate({ seed, events, ...(tampering === undefined ? {} : { tampering }) });
    if (breach === null) continue;
    process.stdout.write(`${name}: seed ${seed}, ${seed - firstSeed + 1} tried: ${breach.invariant}: ${breach.detail}\n`);
    return true;
  }
  process.stdout.write(`${name}: not noticed by ${seeds} seeds from ${firstSeed} on\n`);
  return false;
}

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string', default: '1' },
      events: { type: 'string', default: '3000' },
      seeds: { type: 'string', default: '6000' },
      soak: { type: 'boolean', default: false },
      mutations: { type: 'boolean', default: false },
      mutation: { type: 'string', default: '' },
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
