import { parseArgs } from 'node:util';
import type { PeerSettings } from './targets/peer.ts';
import type { RunOptions } from './workload.ts';

/** What was asked for on the command line. */
export type BenchCommand =
  | { readonly kind: 'help' }
  /** `fault` says what is wrong with it, for a person. */
  | { readonly kind: 'mistake'; readonly fault: string }
  | {
      readonly kind: 'run';
      readonly workload: string;
      readonly options: Omit<RunOptions, 'onProgress'>;
      readonly profile: boolean;
      readonly json: boolean;
      readonly write: boolean;
    };

/** Where the peer's key is read from: an argument would be seen by everybody on the machine. */
const PEER_KEY = 'TURNPIKE_BENCH_PEER_KEY';
const DEFAULT_UPSTREAM_PORT = 4300;

export const OPTIONS_HELP = `  --rounds <n>    rounds, interleaved (3)
  --seconds <n>   length of a round (10)
  --warm-up <n>   seconds of load before the first round (5)
  --profile       no figures: samples the measured process under this load and names its costliest functions
  --json          every figure of every round, as JSON
  --write         put the result into test/bench/README.md
  --help

  --peer <url>    W1 against another gateway too, which you have started: its base URL, such as http://127.0.0.1:8080/v1
  --upstream-port <n>  where the benchmark's upstream listens, for the peer to be pointed at (${DEFAULT_UPSTREAM_PORT})
  --peer-model <name>  what the peer calls the upstream's model (echo)
  --peer-name <name>   what the report calls the peer (peer)
  --peer-pid <n>       its process: CPU per request of it and its descendants is measured too (Linux)
  --peer-wait <n>      seconds it may take until it answers as expected (300)
  ${PEER_KEY}  in the environment: the key the peer wants, sent as a bearer token

The peer speaks OpenAI's protocol and has a provider of that protocol at http://127.0.0.1:<upstream-port>/v1 (any key will do). Start the
benchmark and the peer in any order: load begins when the peer answers 200 with the upstream's very words. Every answer of every
target is checked. A peer that rewrites answers is held to their words, and the report says what it rewrote; it has no ledger
to be held against. Start it under \`taskset -c 0\` to give it what the others are given, one core of its own.`;

/** @param read a variable of the environment, or undefined. */
export function parseCommandLine(args: readonly string[], read: (variable: string) => string | undefined): BenchCommand {
  try {
    return parse(args, read);
  } catch (error) {
    return { kind: 'mistake', fault: error instanceof Error ? error.message : String(error) };
  }
}

function parse(args: readonly string[], read: (variable: string) => string | undefined): BenchCommand {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '10' },
      'warm-up': { type: 'string', default: '5' },
      profile: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      peer: { type: 'string' },
      'upstream-port': { type: 'string' },
      'peer-model': { type: 'string' },
      'peer-name': { type: 'string' },
      'peer-pid': { type: 'string' },
      'peer-wait': { type: 'string' },
    },
  });
  if (values.help) return { kind: 'help' };
  const { profile, json, write } = values;
  const workload = positionals[0] ?? (values.peer === undefined ? null : 'W1');
  if (workload === null || positionals.length > 1) throw new RangeError('expected one workload');
  let peer: PeerSettings | null = null;
  if (values.peer !== undefined) {
    if (workload.toLowerCase() !== 'w1') throw new RangeError(`--peer: only W1 is the load of a gateway, not ${workload}`);
    if (profile) throw new RangeError('--peer: it cannot be profiled');
    if (write) throw new RangeError("--peer: the README holds turnpike's own results; keep those of a peer elsewhere");
    peer = {
      url: baseUrl(values.peer),
      name: peerName(values['peer-name'] ?? 'peer'),
      model: values['peer-model'] ?? 'echo',
      key: read(PEER_KEY) || null,
      pid: values['peer-pid'] === undefined ? null : whole('peer-pid', values['peer-pid'], 4_194_304),
      upstreamPort: whole('upstream-port', values['upstream-port'] ?? String(DEFAULT_UPSTREAM_PORT), 65_535),
      waitMs: whole('peer-wait', values['peer-wait'] ?? '300', 3_600) * 1_000,
    };
  } else {
    for (const name of ['upstream-port', 'peer-model', 'peer-name', 'peer-pid', 'peer-wait'] as const) {
      if (values[name] !== undefined) throw new RangeError(`--${name}: goes with --peer`);
    }
  }
  const options = {
    rounds: whole('rounds', values.rounds, 3_600),
    secondsPerRound: whole('seconds', values.seconds, 3_600),
    warmUpSeconds: whole('warm-up', values['warm-up'], 3_600),
    peer,
  };
  return { kind: 'run', workload, options, profile, json, write };
}

function whole(name: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new RangeError(`--${name}: expected a whole number from 1 to ${most}, found ${text}`);
}

function peerName(name: string): string {
  if (/^[\w .-]{1,32}$/.test(name) && !['turnpike', 'bare Node', 'direct'].includes(name)) return name;
  throw new RangeError('--peer-name: expected 1 to 32 letters, digits, spaces, dots or dashes, and none of the names of the other targets');
}

function baseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new RangeError('--peer: expected a base URL such as http://127.0.0.1:8080/v1');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new RangeError(`--peer: expected a bare base URL; a key goes into ${PEER_KEY}`);
  }
  return url;
}
