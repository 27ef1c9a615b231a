import { describeMachine } from '../describe-machine.ts';
import type { Measurement } from '../measure.ts';
import { createMeter, startLoadGenerator } from '../measure.ts';
import { showSpread, spreadOf } from '../spread.ts';
import type { Gateway } from '../targets/gateway.ts';
import { startGateway } from '../targets/gateway.ts';
import { startPacedUpstream } from '../targets/local-targets.ts';
import type { Target } from '../targets/target.ts';
import type { Report, RunOptions, Workload } from '../workload.ts';

const title = 'streams of 100 tokens at 50 a second, passed on and translated';
const streams = 200;
const tokens = 100;
/** What begins and ends a stream is a write each besides. */
const chunks = tokens + 2;

const body = JSON.stringify({
  model: 'bench/echo',
  messages: [{ role: 'user', content: 'Count to a hundred, one token at a time, and say nothing else.' }],
  max_tokens: 256,
  stream: true,
});

/** What a chunk costs: of a provider that speaks the application's dialect, and of Anthropic, whose stream is translated. */
export const w5: Workload = {
  name: 'W5',
  title,
  run,
  profile: async () => 'W5 has no profile: what it measures is the difference of two gateways.',
};

async function run(options: RunOptions): Promise<Report> {
  await using stack = new AsyncDisposableStack();
  const keep = <Kept extends Target>(target: Kept): Kept => stack.adopt(target, (kept) => kept.stop());
  const generator = stack.adopt(await startLoadGenerator(), (kept) => kept.stop());
  const direct = keep(await startPacedUpstream(body));
  const asked = { upstreamOrigin: direct.request.origin, body };
  options.onProgress('starting the product twice');
  const native = keep(await startGateway({ ...asked, expected: direct.expected, name: 'passed on' }));
  // It is stamped with ids and times of the gateway's own, so it is held to its last token and its end.
  const ending = { expectedBody: null, expectedText: 'data: [DONE]\n\n' };
  const translated = keep(await startGateway({ ...asked, expected: ending, protocol: 'anthropic', name: 'translated' }));
  const measure = createMeter(generator);
  const load = { connections: streams, ratePerSecond: null };

  const problems: string[] = [];
  for (const target of [native, translated]) {
    options.onProgress(`warming up ${target.name} for ${options.warmUpSeconds} s`);
    problems.push(...(await measure(target, { ...load, durationMs: options.warmUpSeconds * 1_000 })).problems);
  }
  const rounds: (readonly [Measurement, Measurement])[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    const measured = async (target: Gateway): Promise<Measurement> => {
      const found = await measure(target, { ...load, durationMs: options.secondsPerRound * 1_000 });
      problems.push(...found.problems);
      options.onProgress(`round ${round}, ${target.name}: ${perChunk(found).toFixed(1)} µs CPU/chunk`);
      return found;
    };
    rounds.push([await measured(native), await measured(translated)]);
  }
  return {
    workload: 'W5',
    title,
    conditions: [
      ...describeMachine(),
      `Upstream: test/bench/targets/paced-upstream.ts, ${tokens} tokens a stream, one every 20 ms, each a write; ${streams} streams at once.`,
      'Two gateways with everything on, one before a provider of its dialect, one before Anthropic’s; only one is under load at a time.',
      `${options.rounds} interleaved rounds of ${options.secondsPerRound} s after ${options.warmUpSeconds} s of warm-up each; median (lowest–highest).`,
    ],
    table: table(rounds),
    problems,
    figures: rounds,
  };
}

function perChunk({ cpuUsPerRequest }: Measurement): number {
  return (cpuUsPerRequest ?? Number.NaN) / chunks;
}

function table(rounds: readonly (readonly [Measurement, Measurement])[]): readonly (readonly string[])[] {
  const row = (name: string, digits: number, value: (one: Measurement) => number): readonly string[] => {
    const cells = ([0, 1] as const).map((which) => showSpread(spreadOf(rounds.map((round) => value(round[which]))), digits));
    const ratio = showSpread(spreadOf(rounds.map(([passed, translated]) => value(translated) / value(passed))), 2);
    return [name, ...cells, ratio];
  };
  return [
    ['', 'passed on', 'translated', 'ratio'],
    row('**CPU µs per chunk**', 1, perChunk),
    row('chunks/s', 0, (one) => one.requestsPerSecond * chunks),
    row('p50 ms of a stream', 0, (one) => one.latencyUs.p50 / 1_000),
    row('p99 ms of a stream', 0, (one) => one.latencyUs.p99 / 1_000),
  ];
}
