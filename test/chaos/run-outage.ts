import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import type { DatabaseConnection } from '../../services/runtime/postgres.ts';
import { judgeAccount, knownRequests } from '../e2e/judge-account.ts';
import { isSequenced, readRequestIds } from '../e2e/ledger-rows.ts';
import { activeCalls, followProviderBooks } from '../e2e/provider-books.ts';
import { readBooks } from '../e2e/read-books.ts';
import { eventually } from '../harness/eventually.ts';
import type { KafkaRuntime } from '../harness/kafka-runtime.ts';
import type { Picture } from './draw-report.ts';
import { readGauge, startSampler } from './sampler.ts';
import { startSteadyLoad } from './steady-load.ts';
import { startWorld } from './world.ts';

export type OutageOptions = {
  /** How long the broker is away. */
  readonly outageMs: number;
  readonly ratePerSecond: number;
  /** How long it runs under load before, and after all is handed over. */
  readonly quietMs: number;
  readonly runtime: KafkaRuntime;
  readonly onProgress: (line: string) => void;
};

type Phase = 'before' | 'away' | 'draining' | 'after';
/** Answers in milliseconds, and how long requests of the phase took to be in the journal, in seconds. */
type PhaseFigures = {
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly lagP50S: number;
  readonly lagMaxS: number;
};

export type OutageReport = {
  readonly outageMs: number;
  readonly ratePerSecond: number;
  readonly phases: Readonly<Record<Phase, PhaseFigures>>;
  /** Most that lay in one proxy's spool, and in both. */
  readonly spool: { readonly mostBytes: number; readonly mostUnsent: number };
  /** From the broker's return until the spools were empty under load. */
  readonly drainMs: number;
  readonly entries: number;
  /** Refused as `overloaded`: the machine was too slow for the load. */
  readonly shed: number;
  readonly found: { readonly equal: number; readonly orphans: number; readonly uncalled: number };
  readonly problems: readonly string[];
  readonly picture: Picture;
};

/** What the spool may hold: its default (services/eventlog/spool/open-spool.ts). */
const spoolBoundBytes = 1024 ** 3;
const caughtUpUnsent = 200;
const settleMs = 120_000;
const booksEveryMs = 5_000;

/** One long outage of the broker under load: the proxies serve, their spools grow and are handed over in order, beside live traffic. */
export async function runOutage(options: OutageOptions): Promise<OutageReport> {
  const { outageMs, ratePerSecond, quietMs, onProgress } = options;
  onProgress('starting Kafka, PostgreSQL, the simulated provider, 2 proxies, 2 ledgers and an api');
  const world = await startWorld({
    runtime: options.runtime,
    processes: { proxy: 2, ledger: 2, api: 1 },
    smallDiskMegabytes: null,
    onKilled: () => {},
  });
  try {
    const startMs = performance.now();
    const beganAt = Date.now();
    const readOn = followProviderBooks(world.endpoints.simUrl);
    const load = startSteadyLoad({ proxyUrls: world.proxyUrls, key: world.endpoints.demoKey, ratePerSecond });
    const sampler = startSampler({ world, load: () => load, startMs });
    const problems: string[] = [];
    let mostBytes = 0;
    const books = setInterval(() => {
      // Asked for on the way: the provider keeps the last ones only.
      readOn().catch((error: unknown) => problems.push(`the provider's books: ${String(error)}`));
      onProgress(
        `${Math.round((performance.now() - startMs) / 1_000)} s: ${load.answers.length} requests, ${load.failures.length} failed, ${load.shed()} shed, ${sampler.samples.at(-1)?.unsent ?? '?'} in spools (${Math.round(mostBytes / 1024 ** 2)} MiB at most)`,
      );
    }, booksEveryMs);
    const bytes = setInterval(() => {
      for (const proxy of world.children.proxy) {
        void readGauge(proxy.url(), 'turnpike_spool_bytes').then((value) => {
          mostBytes = Math.max(mostBytes, value ?? 0);
        });
      }
    }, 1_000);
    const unsent = async (): Promise<number> => {
      const each = await Promise.all(world.children.proxy.map((proxy) => readGauge(proxy.url(), 'turnpike_spool_unsent')));
      return each.reduce<number>((sum, one) => sum + (one ?? Number.POSITIVE_INFINITY), 0);
    };

    await wait(quietMs);
    const awayMs = performance.now();
    await world.broker.stop();
    onProgress('the broker is away');
    await wait(outageMs - (performance.now() - awayMs));
    await world.broker.start();
    const backMs = performance.now();
    const waiting = await unsent();
    onProgress(`the broker is back, ${waiting} settlements wait`);
    await eventually(async () => (await unsent()) <= caughtUpUnsent, 2 * outageMs + settleMs);
    const drainedMs = performance.now();
    onProgress(`handed over in ${Math.round(drainedMs - backMs)} ms`);
    await wait(quietMs);
    await load.stop();
    const endMs = performance.now();
    for (const timer of [books, bytes]) clearInterval(timer);
    sampler.stop();

    const calls = await eventually(async () => {
      if ((await activeCalls(world.endpoints.simUrl)) > 0) throw new Error('the provider still answers');
      const all = await readOn();
      const booked = await readRequestIds(world.database);
      const missing = [...knownRequests(all, load.answers)].filter((id) => !booked.has(id));
      if (missing.length > 0) {
        await wait(1_000);
        throw new Error(`${missing.length} not in the ledger, such as ${missing.slice(0, 3)}`);
      }
      if (!(await isSequenced(world.database))) throw new Error('the journal still has lines without a position');
      return all;
    }, settleMs);
    const account = await readBooks(world.database);
    const { problems: wrong, ...found } = judgeAccount({ ...account, calls, answers: load.answers }, { orphans: 0, unheard: 0 });
    problems.push(...wrong, ...load.failures.slice(0, 10));
    problems.push(...(await orderProblems(world.database)));
    if (mostBytes > spoolBoundBytes) problems.push(`a spool held ${mostBytes} bytes, its bound is ${spoolBoundBytes}`);
    const mostUnsent = Math.max(0, ...sampler.samples.map((sample) => sample.unsent ?? 0));
    if (mostUnsent < (ratePerSecond * outageMs) / 1_000 / 4)
      problems.push(`only ${mostUnsent} settlements ever waited: was the broker away at all?`);
    const phase = async (fromMs: number, toMs: number): Promise<PhaseFigures> => {
      const took = load.latenciesMs(fromMs, toMs);
      const lag = await readLag(world.database, new Date(beganAt + fromMs - startMs), new Date(beganAt + toMs - startMs));
      return { requests: took.length, p50Ms: at(took, 0.5), p99Ms: at(took, 0.99), maxMs: at(took, 1), ...lag };
    };
    const phases = {
      before: await phase(startMs, awayMs),
      away: await phase(awayMs, backMs),
      draining: await phase(backMs, drainedMs),
      after: await phase(drainedMs, endMs),
    };
    for (const child of Object.values(world.children).flat()) problems.push(...child.deaths);
    problems.push(...(await world.stop()));
    const fault = { what: 'stopped', where: 'broker', hit: null, skipped: null };
    return {
      outageMs,
      ratePerSecond,
      phases,
      spool: { mostBytes, mostUnsent },
      drainMs: drainedMs - backMs,
      entries: account.ledger.length,
      shed: load.shed(),
      found: { equal: found.equal, orphans: found.orphans, uncalled: found.uncalled },
      problems,
      picture: {
        title: `broker away for ${Math.round(outageMs / 1_000)} s at ${ratePerSecond} requests a second, ${problems.length === 0 ? 'lost: nothing' : `${problems.length} problems`}`,
        loadMs: endMs - startMs,
        samples: sampler.samples,
        faults: [{ ...fault, atMs: awayMs - startMs, untilMs: backMs - startMs }],
      },
    };
  } finally {
    await world.end();
  }
}

/** For a person. */
export function describeOutage(report: OutageReport): string {
  const { phases, spool, problems } = report;
  const row = (name: string, figures: PhaseFigures): string =>
    [
      name.padEnd(10),
      String(figures.requests).padStart(9),
      ...[figures.p50Ms, figures.p99Ms, figures.maxMs].map((ms) => `${ms.toFixed(1)} ms`.padStart(11)),
      ...[figures.lagP50S, figures.lagMaxS].map((s) => `${s.toFixed(2)} s`.padStart(10)),
    ].join(' ');
  return [
    report.picture.title,
    '',
    'phase       requests  answer p50         p99         max  to journal        max',
    ...Object.entries(phases).map(([name, figures]) => row(name, figures)),
    '',
    `spools: ${spool.mostUnsent} settlements in both, ${(spool.mostBytes / 1024 ** 2).toFixed(1)} MiB in one at most; handed over in ${(report.drainMs / 1_000).toFixed(1)} s beside live traffic`,
    `refused as overloaded, to be tried again: ${report.shed}`,
    `books: ${report.entries} entries, ${report.found.equal} equal to the provider's to the token and the pico-dollar`,
    problems.length === 0 ? 'lost: nothing' : `PROBLEMS (${problems.length}):\n${problems.map((one) => `  ${one}`).join('\n')}`,
  ].join('\n');
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Each proxy hands over in the order of settlement, so each partition has its settlements in that order, proxy by proxy. */
async function orderProblems({ db }: DatabaseConnection): Promise<readonly string[]> {
  const { rows } = await sql<{ disorders: bigint; example: string | null }>`
    with settled as (
      select request_id, log_partition, log_offset, convert_from(body, 'UTF8')::jsonb ->> 'node' as node,
        occurred_at + total_ms * interval '1 millisecond' as settled_at
      from ledger_entries where total_ms is not null
    ), beside as (
      select *, max(settled_at) over (partition by log_partition, node order by log_offset rows between unbounded preceding and 1 preceding) as before
      from settled
    )
    select count(*) as disorders, min(request_id::text) as example from beside where settled_at < before - interval '1 second'`.execute(db);
  const [found] = rows;
  return found === undefined || found.disorders === 0n
    ? []
    : [`${found.disorders} settlements came in before older ones, such as ${found.example}`];
}

/** From admission to a position in the journal, of what was admitted between two moments; seconds. */
async function readLag({ db }: DatabaseConnection, from: Date, to: Date): Promise<{ readonly lagP50S: number; readonly lagMaxS: number }> {
  const { rows } = await sql<{ half: number | null; most: number | null }>`
    select percentile_cont(0.5) within group (order by lag) as half, max(lag) as most from (
      select extract(epoch from sequenced_at - occurred_at)::float8 as lag from journal_positions
      where item_kind = 'entry' and occurred_at >= ${from} and occurred_at < ${to}
    ) as lags`.execute(db);
  return { lagP50S: rows[0]?.half ?? 0, lagMaxS: rows[0]?.most ?? 0 };
}
