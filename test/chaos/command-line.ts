import { parseArgs } from 'node:util';

export type ChaosCommand =
  | { readonly kind: 'help' }
  | { readonly kind: 'mistake'; readonly fault: string }
  | { readonly kind: 'chaos'; readonly loadMs: number; readonly seed: number; readonly ratePerSecond: number; readonly out: string | null }
  | { readonly kind: 'budget'; readonly forMs: number; readonly seed: number }
  | { readonly kind: 'outage'; readonly outageMs: number; readonly ratePerSecond: number; readonly out: string | null };

export const chaosHelp = `npm run chaos -- --minutes <T> --seed <N> [--rate <n>] [--out <folder>]
npm run chaos -- --outage <10m|30s> --rate <n> [--out <folder>]
npm run chaos -- --budget --minutes <T> --seed <N>

Two proxies, two ledgers and two apis, as processes, on a Kafka and a PostgreSQL of the run's own, every link over TLS and through a
fault proxy. Needs what the Kafka tests need (Java 17 and Maven, fetched once); the disk that fills up needs Linux and root.

  --minutes <T>    how long there are load and faults, e.g. 3, 10, 60 (3)
  --seed <N>       of the schedule of faults; the same seed, the same schedule (drawn, and told)
  --rate <n>       requests a second (20; with --outage 500)
  --outage <time>  no chaos but one long outage: the broker is away this long under load, then what waited is handed over
  --budget         no Kafka: budgets of one dollar, each spent through four proxies by 256 callers, and judged, until the time is over
  --out <folder>   where the report goes: report.txt, report.json, report.svg (.chaos/<what>-<seed or time>)

Ends with 0 where nothing was lost, 1 where something was, 2 for a mistake on this line.
`;

const mostSeed = 2 ** 32 - 1;

/** @param drawSeed a seed where none was given. */
export function parseCommandLine(args: readonly string[], drawSeed: () => number): ChaosCommand {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string' },
        seed: { type: 'string' },
        rate: { type: 'string' },
        outage: { type: 'string' },
        budget: { type: 'boolean', default: false },
        out: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return { kind: 'help' };
    const out = values.out ?? null;
    const seed = (): number => (values.seed === undefined ? drawSeed() : number('seed', values.seed, 0, mostSeed));
    const loadMs = (): number => Math.round(number('minutes', values.minutes ?? '3', 0.5, 24 * 60) * 60_000);
    if (values.budget) {
      if (values.outage !== undefined || values.rate !== undefined || values.out !== undefined)
        throw new RangeError('--budget: goes with --minutes and --seed alone');
      return { kind: 'budget', forMs: loadMs(), seed: seed() };
    }
    if (values.outage !== undefined) {
      if (values.minutes !== undefined || values.seed !== undefined) throw new RangeError('--outage: goes with --rate and --out alone');
      return {
        kind: 'outage',
        outageMs: duration('outage', values.outage),
        ratePerSecond: number('rate', values.rate ?? '500', 1, 5_000),
        out,
      };
    }
    return {
      kind: 'chaos',
      loadMs: loadMs(),
      seed: seed(),
      ratePerSecond: number('rate', values.rate ?? '20', 1, 500),
      out,
    };
  } catch (error) {
    return { kind: 'mistake', fault: error instanceof Error ? error.message : String(error) };
  }
}

function number(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most && (name === 'minutes' || Number.isInteger(value))) return value;
  throw new RangeError(`--${name}: expected a number from ${least} to ${most}, found ${text}`);
}

function duration(name: string, text: string): number {
  const match = /^(\d{1,4})(s|m)$/.exec(text);
  if (match === null) throw new RangeError(`--${name}: expected a time such as 30s or 10m, found ${text}`);
  return Number(match[1]) * (match[2] === 'm' ? 60_000 : 1_000);
}
