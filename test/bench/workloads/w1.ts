import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describeMachine } from '../describe-machine.ts';
import type { Measurement } from '../measure.ts';
import { createMeter, startLoadGenerator } from '../measure.ts';
import { readCores, readThreadUsage } from '../process-usage.ts';
import { describeProfile } from '../profile/describe-profile.ts';
import { flameGraph } from '../profile/flame-graph.ts';
import { profilable, profileProcess } from '../profile/profile-process.ts';
import { showSpread, spreadOf } from '../spread.ts';
import { startGateway } from '../targets/gateway.ts';
import { startBarePassthrough, startUpstream } from '../targets/local-targets.ts';
import type { Peer, PeerSettings } from '../targets/peer.ts';
import { connectPeer } from '../targets/peer.ts';
import type { Target } from '../targets/target.ts';
import type { Report, RunOptions, Workload } from '../workload.ts';

const title = 'non-streaming, 0.3 kB to 1 kB, instant upstream';
/** Keeps the measured core busy. With few the core waits half its time for the other one and pays for falling asleep and waking up. */
const saturatingConnections = 64;
const fewConnections = 8;
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
  const keep = <Kept extends Target>(target: Kept): Kept => stack.adopt(target, (kept) => kept.stop());
  const generator = stack.adopt(await startLoadGenerator(), (kept) => kept.stop());
  const direct = keep(await startUpstream(body, options.peer?.upstreamPort ?? 0));
  const bare = keep(await startBarePassthrough(direct));
  const peer = options.peer === null ? null : keep(await awaitPeer(options.peer, direct, options.onProgress));
  options.onProgress('starting the product');
  const gateway = keep(await startGateway({ upstreamOrigin: direct.request.origin, body, expected: direct.expected }));
  const gateways: readonly Target[] = peer === null ? [gateway] : [gateway, peer];
  const measure = createMeter(generator);
  const saturation = { connections: saturatingConnections, ratePerSecond: null };

  options.onProgress(`warming up for ${options.warmUpSeconds} s each`);
  const problems: string[] = [];
  for (const target of [direct, bare, ...gateways]) {
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
  const few: Measurement[] = [];
  const durationMs = options.secondsPerRound * 1_000;
  for (let round = 1; round <= options.rounds; round++) {
    for (const target of [...gateways, bare])
      record(closed, await measure(target, { ...saturation, durationMs }), `saturated, round ${round},`);
    for (const target of [...gateways, bare]) {
      const found = await measure(target, { connections: fewConnections, ratePerSecond: null, durationMs });
      record(few, found, `${fewConnections} connections, round ${round},`);
    }
  }
  // The same rate for all, so that their latencies compare: half of what the slowest of them can do.
  const half = Math.min(...gateways.map((target) => spreadOf(of(closed, target).map((one) => one.requestsPerSecond)).median)) / 2;
  const open: Measurement[] = [];
  const atHalf = { connections: openLoopConnections, ratePerSecond: half };
  for (let round = 1; round <= options.rounds; round++) {
    for (const target of [...gateways, bare, direct]) {
      record(open, await measure(target, { ...atHalf, durationMs }), `open loop, round ${round},`);
    }
  }
  const answerBytes = Buffer.byteLength(direct.expected.expectedBody ?? '');
  return {
    workload: 'W1',
    title,
    conditions: [
      ...describeMachine(),
      `Upstream: test/bench/targets/instant-upstream.ts, ${answerBytes} bytes an answer; request ${Buffer.byteLength(body)} bytes.`,
      'turnpike with everything on (key, price, spool, event log, ledger); after each round requests sent = ledger entries.',
      ...(options.peer === null || peer === null ? [] : await describePeer(options.peer, peer)),
      `${options.rounds} interleaved rounds of ${options.secondsPerRound} s after ${options.warmUpSeconds} s of warm-up each; median (lowest–highest).`,
      `Closed loop with ${saturatingConnections} connections, which saturate the measured core, and with ${fewConnections}; open loop at ${half.toFixed(0)}/s, half of ${peer === null ? "turnpike's own" : 'the lower'} saturation, timed from the intended start.`,
    ],
    table: table(options.rounds, { gateways, bare, direct }, { closed, few, open }),
    problems,
    figures: { closed, few, open },
  };
}

/** Says where the peer has to go, and waits until it does. */
function awaitPeer(settings: PeerSettings, direct: Target, onProgress: RunOptions['onProgress']): Promise<Peer> {
  onProgress(`the upstream is ${direct.request.origin}/v1 (POST /chat/completions, any model, any key): point ${settings.name} there`);
  return connectPeer(settings, direct, onProgress);
}

/** What a reader has to know before comparing. */
async function describePeer({ name, url, model, pid }: PeerSettings, { differences }: Peer): Promise<readonly string[]> {
  const cores =
    pid === null ? 'its CPU is not counted (no --peer-pid)' : `process ${pid} with its descendants, on cores ${await readCores(pid)}`;
  const bytes = differences.length === 0 ? "passes the provider's answer to the byte" : differences.join('; ');
  return [
    `${name}: ${url.href}, model ${model}; ${cores}.`,
    `${name} ${bytes.replace(/^it /, '')}. It keeps no ledger here: what it was sent is held against no books.`,
  ];
}

function table(
  rounds: number,
  { gateways, bare, direct }: { readonly gateways: readonly Target[]; readonly bare: Target; readonly direct: Target },
  {
    closed,
    few,
    open,
  }: { readonly closed: readonly Measurement[]; readonly few: readonly Measurement[]; readonly open: readonly Measurement[] },
): readonly (readonly string[])[] {
  const row = (
    name: string,
    digits: number,
    from: readonly Measurement[],
    value: (one: Measurement) => number | null,
  ): readonly string[] => {
    const valuesOf = (target: Target): readonly (number | null)[] => of(from, target).map(value);
    const reference = valuesOf(bare);
    const ratios = gateways.map((target) => {
      const own = valuesOf(target);
      return Array.from({ length: rounds }, (_, round) => ratio(own[round] ?? null, reference[round] ?? null));
    });
    return [name, ...[...gateways, bare].map((target) => cell(valuesOf(target), digits)), ...ratios.map((found) => cell(found, 2))];
  };
  const added = (name: string, value: (one: Measurement) => number): readonly string[] => {
    const reference = of(open, direct).map(value);
    const over = (target: Target): string =>
      showSpread(spreadOf(of(open, target).map((one, round) => value(one) - (reference[round] ?? 0))), 0);
    return [name, ...[...gateways, bare].map(over), ...gateways.map(() => '')];
  };
  const ratioNames = gateways.length === 1 ? ['ratio'] : gateways.map(({ name }) => `${name} ÷ bare`);
  return [
    ['', ...[...gateways, bare].map(({ name }) => name), ...ratioNames],
    row('**CPU µs per request**', 1, closed, (one) => one.cpuUsPerRequest),
    row(`CPU µs per request, ${fewConnections} connections`, 1, few, (one) => one.cpuUsPerRequest),
    row(gateways.length === 1 ? 'requests/s, one core, closed loop' : 'requests/s, closed loop', 0, closed, (one) => one.requestsPerSecond),
    row('p50 µs, closed loop', 0, closed, (one) => one.latencyUs.p50),
    row('p99 µs, closed loop', 0, closed, (one) => one.latencyUs.p99),
    added('added p50 µs, open loop at half load', (one) => one.latencyUs.p50),
    added('added p95 µs', (one) => one.latencyUs.p95),
    added('added p99 µs', (one) => one.latencyUs.p99),
    row('CPU µs per request, open loop', 1, open, (one) => one.cpuUsPerRequest),
    row('resident memory, MB', 0, closed, (one) => (one.residentBytes === null ? null : one.residentBytes / 1_000_000)),
  ];
}

/** Empty where not all of it was measured. */
function cell(values: readonly (number | null)[], digits: number): string {
  const measured = values.filter((value) => value !== null);
  return measured.length < values.length ? '' : showSpread(spreadOf(measured), digits);
}

function ratio(value: number | null, reference: number | null): number | null {
  return value === null || reference === null ? null : value / reference;
}

function of(measurements: readonly Measurement[], target: Target): readonly Measurement[] {
  return measurements.filter((one) => one.target === target.name);
}

async function profile(options: RunOptions): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const generator = stack.adopt(await startLoadGenerator(), (kept) => kept.stop());
  const direct = stack.adopt(await startUpstream(body), (kept) => kept.stop());
  const settings = { upstreamOrigin: direct.request.origin, body, expected: direct.expected, environment: profilable };
  const gateway = stack.adopt(await startGateway(settings), (kept) => kept.stop());
  const measure = createMeter(generator);
  const load = { connections: saturatingConnections, ratePerSecond: null };
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
