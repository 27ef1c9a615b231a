import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describeMachine } from '../describe-machine.ts';
import type { Measurement } from '../measure.ts';
import { createMeter, startLoadGenerator } from '../measure.ts';
import { readThreadUsage } from '../process-usage.ts';
import { describeProfile } from '../profile/describe-profile.ts';
import { flameGraph } from '../profile/flame-graph.ts';
import { profilable, profileProcess } from '../profile/profile-process.ts';
import { showSpread, spreadOf } from '../spread.ts';
import { startGateway } from '../targets/gateway.ts';
import { startBarePassthrough, startUpstream } from '../targets/local-targets.ts';
import type { Target } from '../targets/target.ts';
import type { Report, RunOptions, Workload } from '../workload.ts';

const title = 'non-streaming, 0.3 kB to 1 kB, instant upstream';
const concurrency = 8;
/** Each profile replaces it. */
const picture = new URL('../profile/w1.svg', import.meta.url);
/** Enough that at half load nothing waits for a connection. */
const openLoopConnections = 256;

/** 0.3 kB, the same bytes for every target. */
const body = JSON.stringify({
  model: 'bench/echo',
  messages: [
    { role: 'system', content: 'You answer in one short paragraph and never mention that you are a program.' },
    { role: 'user', content: 'Name a line of verse that everybody half remembers, and say in a sentence or two where it comes from.' },
  ],
  temperature: 0.2,
  max_tokens: 256,
});

/** What the proxy costs: the number peers publish, with the ledger on. */
export const w1: Workload = { name: 'W1', title, run, profile };

async function run(options: RunOptions): Promise<Report> {
  await using stack = new AsyncDisposableStack();
  const keep = (target: Target): Target => stack.adopt(target, (kept) => kept.stop());
  const generator = stack.adopt(await startLoadGenerator(), (kept) => kept.stop());
  const direct = keep(await startUpstream(body));
  const bare = keep(await startBarePassthrough(body, direct.request.origin));
  options.onProgress('starting the product');
  const gateway = keep(await startGateway({ upstreamOrigin: direct.request.origin, body }));
  const measure = createMeter(generator);
  const expectedBody = await bodyOf(direct);
  const saturation = { connections: concurrency, ratePerSecond: null, expectedBody };

  options.onProgress(`warming up for ${options.warmUpSeconds} s each`);
  const problems: string[] = [];
  for (const target of [direct, bare, gateway]) {
    const warm = await measure(target, { ...saturation, durationMs: options.warmUpSeconds * 1_000 });
    problems.push(...warm.problems);
  }

  const closed: Measurement[] = [];
  const record = (into: Measurement[], found: Measurement, what: string): void => {
    into.push(found);
    problems.push(...found.problems);
    const cpu = found.cpuUsPerRequest === null ? '' : `, ${found.cpuUsPerRequest.toFixed(1)} µs CPU/request`;
    options.onProgress(`${what} ${found.target}: ${found.requestsPerSecond.toFixed(0)}/s${cpu}, p50 ${found.latencyUs.p50} µs`);
  };
  for (let round = 1; round <= options.rounds; round++) {
    for (const target of [gateway, bare]) {
      record(closed, await measure(target, { ...saturation, durationMs: options.secondsPerRound * 1_000 }), `closed loop, round ${round},`);
    }
  }
  const half = spreadOf(of(closed, gateway).map((one) => one.requestsPerSecond)).median / 2;
  const open: Measurement[] = [];
  const atHalf = { connections: openLoopConnections, ratePerSecond: half, expectedBody };
  for (let round = 1; round <= options.rounds; round++) {
    for (const target of [gateway, bare, direct]) {
      record(open, await measure(target, { ...atHalf, durationMs: options.secondsPerRound * 1_000 }), `open loop, round ${round},`);
    }
  }
  return {
    workload: 'W1',
    title,
    conditions: [
      ...describeMachine(),
      `Upstream: test/bench/targets/instant-upstream.ts, ${Buffer.byteLength(expectedBody)} bytes an answer; request ${Buffer.byteLength(body)} bytes.`,
      `turnpike with everything on (key, price, spool, event log, ledger); after each round requests sent = ledger entries.`,
      `${options.rounds} interleaved rounds of ${options.secondsPerRound} s after ${options.warmUpSeconds} s of warm-up each; median (lowest–highest).`,
      `Closed loop with ${concurrency} connections; open loop at ${half.toFixed(0)}/s, half of turnpike's own saturation, timed from the intended start.`,
    ],
    table: table(options.rounds, { gateway, bare, direct }, closed, open),
    problems,
    figures: { closed, open },
  };
}

function table(
  rounds: number,
  { gateway, bare, direct }: { readonly gateway: Target; readonly bare: Target; readonly direct: Target },
  closed: readonly Measurement[],
  open: readonly Measurement[],
): readonly (readonly string[])[] {
  const row = (name: string, digits: number, from: readonly Measurement[], value: (one: Measurement) => number): readonly string[] => {
    const [ours, theirs] = [of(from, gateway).map(value), of(from, bare).map(value)];
    const ratios = Array.from({ length: rounds }, (_, round) => (ours[round] ?? Number.NaN) / (theirs[round] ?? Number.NaN));
    return [name, showSpread(spreadOf(ours), digits), showSpread(spreadOf(theirs), digits), showSpread(spreadOf(ratios), 2)];
  };
  const added = (name: string, value: (one: Measurement) => number): readonly string[] => {
    const reference = of(open, direct).map(value);
    const over = (target: Target): string =>
      showSpread(spreadOf(of(open, target).map((one, round) => value(one) - (reference[round] ?? 0))), 0);
    return [name, over(gateway), over(bare), ''];
  };
  return [
    ['', 'turnpike', 'bare Node', 'ratio'],
    row('**CPU µs per request**', 1, closed, (one) => one.cpuUsPerRequest ?? Number.NaN),
    row('requests/s, one core, closed loop', 0, closed, (one) => one.requestsPerSecond),
    row('p50 µs, closed loop', 0, closed, (one) => one.latencyUs.p50),
    row('p99 µs, closed loop', 0, closed, (one) => one.latencyUs.p99),
    added('added p50 µs, open loop at half load', (one) => one.latencyUs.p50),
    added('added p95 µs', (one) => one.latencyUs.p95),
    added('added p99 µs', (one) => one.latencyUs.p99),
    row('CPU µs per request, open loop', 1, open, (one) => one.cpuUsPerRequest ?? Number.NaN),
    row('resident memory, MB', 0, closed, (one) => (one.residentBytes ?? Number.NaN) / 1_000_000),
  ];
}

function of(measurements: readonly Measurement[], target: Target): readonly Measurement[] {
  return measurements.filter((one) => one.target === target.name);
}

/** The bytes every target has to answer with. */
async function bodyOf(target: Target): Promise<string> {
  const { origin, path, headers } = target.request;
  const response = await fetch(origin + path, { method: 'POST', headers, body, signal: AbortSignal.timeout(5_000) });
  return response.text();
}

async function profile(options: RunOptions): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const generator = stack.adopt(await startLoadGenerator(), (kept) => kept.stop());
  const direct = stack.adopt(await startUpstream(body), (kept) => kept.stop());
  const gateway = stack.adopt(await startGateway({ upstreamOrigin: direct.request.origin, body, environment: profilable }), (kept) =>
    kept.stop(),
  );
  const measure = createMeter(generator);
  const load = { connections: concurrency, ratePerSecond: null, expectedBody: await bodyOf(direct) };
  options.onProgress(`warming up for ${options.warmUpSeconds} s, then profiling for ${options.secondsPerRound} s`);
  await measure(gateway, { ...load, durationMs: options.warmUpSeconds * 1_000 });
  let requests = 0;
  const before = await readThreadUsage(gateway.pid);
  const profiled = await profileProcess(gateway.pid, gateway.output, async () => {
    requests = (await measure(gateway, { ...load, durationMs: options.secondsPerRound * 1_000 })).requests;
  });
  const threads = [...(await readThreadUsage(gateway.pid))]
    .map(([name, cpuUs]) => ({ name, perRequest: (cpuUs - (before.get(name) ?? 0)) / requests }))
    .sort((left, right) => right.perRequest - left.perRequest)
    .map(({ name, perRequest }) => `${perRequest.toFixed(1).padStart(7)} µs CPU/request  thread ${name}`);
  await writeFile(picture, flameGraph(profiled, `The proxy under W1: ${title}`));
  return [...threads, '', describeProfile(profiled, requests), '', `Picture: ${fileURLToPath(picture)}`].join('\n');
}
