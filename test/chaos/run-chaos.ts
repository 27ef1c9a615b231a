import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { idFromUuid } from '../../schema/values/ids.ts';
import { recomputeRollups } from '../../services/ledger/recompute-rollups.ts';
import { retentionMs } from '../../services/ledger/retention.ts';
import type { DatabaseConnection } from '../../services/runtime/postgres.ts';
import type { RollupSums } from '../e2e/judge-account.ts';
import { judgeAccount, knownRequests } from '../e2e/judge-account.ts';
import { isSequenced, readRequestIds } from '../e2e/ledger-rows.ts';
import { activeCalls, readProviderBooks } from '../e2e/provider-books.ts';
import { readBooks } from '../e2e/read-books.ts';
import { eventually } from '../harness/eventually.ts';
import type { KafkaRuntime } from '../harness/kafka-runtime.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import type { ChaosReport } from './chaos-report.ts';
import type { FaultDone } from './fault-done.ts';
import { inflict, targetOf } from './inflict.ts';
import type { JournalLine } from './judge-stream.ts';
import { judgeStream } from './judge-stream.ts';
import type { Load } from './load.ts';
import { startLoad } from './load.ts';
import type { PlannedFault } from './plan-faults.ts';
import { describeFault, planFaults } from './plan-faults.ts';
import { startSampler } from './sampler.ts';
import { startSubscriber } from './subscriber.ts';
import type { World } from './world.ts';
import { startWorld } from './world.ts';

export type ChaosOptions = {
  readonly seed: number;
  /** How long there is load, and faults in it. */
  readonly loadMs: number;
  readonly ratePerSecond: number;
  readonly runtime: KafkaRuntime;
  readonly onProgress: (line: string) => void;
};

const processes = { proxy: 2, ledger: 2, api: 2 };
const smallDiskMegabytes = 48;
const progressMs = 15_000;
/** Everything that was put in the way is gone by then, and what waited for it has tried again. */
const drainMs = 180_000;
const dayMs = 86_400_000;
/** Of a provider's own: what it read on for clients that left, beyond what the load knows of. */
const readOnAtOnce = 40;

/** One run: load and faults side by side, then peace, then the judgment. Resolves also where the run failed; the report says so. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, onProgress } = options;
  const startedAt = new Date();
  let load: Load | null = null;
  let orphans = 0;
  onProgress('starting Kafka, PostgreSQL, the simulated provider, 2 proxies, 2 ledgers and 2 apis');
  const world = await startWorld({
    runtime: options.runtime,
    processes,
    smallDiskMegabytes,
    onKilled: (kind) => {
      if (kind === 'proxy') orphans += (load?.inFlight() ?? 0) + readOnAtOnce;
    },
  });
  try {
    const startMs = performance.now();
    const subscriber = startSubscriber({
      graphqlUrls: world.children.api.map((api) => `${api.url()}/graphql`),
      adminKey: world.endpoints.adminKey,
      onSeen: (requestId) => sampler.seen(requestId),
    });
    await subscriber.opened;
    const firstPosition = await nextPosition(world.database);
    load = startLoad({
      endpoints: world.endpoints,
      proxyUrls: world.proxyUrls,
      ratePerSecond: options.ratePerSecond,
      onAnswer: ({ kind, requestId }, atMs) => {
        if (kind === 'answered' && requestId !== null) sampler.answered(requestId, atMs);
      },
    });
    const running = load;
    const sampler = startSampler({ world, load: () => running, startMs });
    const ticker = setInterval(() => {
      const last = sampler.samples.at(-1);
      onProgress(
        `${Math.round((performance.now() - startMs) / 1_000)} s: ${running.answers.length} requests, ${faults.length} faults over, ${running.inFlight()} under way, ${subscriber.received.length} shown, lag ${Math.round((last?.lagMs ?? 0) / 100) / 10} s, ${last?.unsent ?? '?'} in spools`,
      );
    }, progressMs);
    const faults: FaultDone[] = [];
    const problems: string[] = [];
    const plan = planFaults({ seed, durationMs: options.loadMs, processes });
    await Promise.all([
      wait(options.loadMs),
      inflictAll({
        world,
        plan,
        seed,
        startMs,
        onDone: (fault) => faults.push(fault),
        onProblem: (problem) => problems.push(problem),
        onProgress,
      }),
    ]);
    const loadMs = performance.now() - startMs;
    onProgress('the last fault is over: waiting until everything is answered, booked and shown');
    for (const link of Object.values(world.links)) link.heal();
    // The other end of a half-open connection to the provider is gone for good; who waits for its answer is told so at last.
    world.links.provider.cut();
    await running.stop();
    const drainStartMs = performance.now();
    const settled = await settle(world, running).catch((error: unknown) => {
      problems.push(`not everything came in within ${drainMs} ms: ${error instanceof Error ? error.message : String(error)}`);
      return readProviderBooks(world.endpoints.simUrl);
    });
    // What the load does not know of, such as requests of clients that left before they had an id, may come in until the end.
    const last = await nextPosition(world.database);
    const journal = await readJournal(world.database, firstPosition, last);
    await eventually(() => subscriber.received.length >= journal.length, 30_000).catch(() => {});
    const received = subscriber.received.filter(({ position }) => position < last);
    const drainedMs = performance.now() - drainStartMs;
    sampler.stop();
    clearInterval(ticker);

    const books = await readBooks(world.database);
    const unheard = faults.reduce(
      (sum, { where, what, hit }) => (where === 'link to provider' && what !== 'delay' ? sum + (hit ?? 0) : sum),
      0,
    );
    const {
      problems: wrong,
      differences: _,
      ...found
    } = judgeAccount(
      { ...books, rollups: books.rollups.filter(staysWhole), calls: settled, answers: running.answers },
      { orphans, unheard },
    );
    problems.push(...wrong, ...judgeStream(received, journal), ...subscriber.complaints);
    problems.push(...(await rollupProblems(world.database)), ...(await leafProblems(world.database)));
    await subscriber.stop();
    const children = Object.values(world.children).flat();
    for (const child of children) problems.push(...child.deaths);
    onProgress('stopping everything in order');
    problems.push(...(await world.stop()));
    const count = (kind: string): number => running.answers.filter((answer) => answer.kind === kind).length;
    return {
      seed,
      startedAt: startedAt.toISOString(),
      loadMs,
      drainMs: drainedMs,
      faults: faults.sort((one, other) => one.atMs - other.atMs),
      requests: { answered: count('answered'), left: count('left'), failed: count('failed'), heldBack: running.heldBack() },
      providerCalls: settled.length,
      entries: books.ledger.length,
      found,
      restarts: Object.fromEntries(children.map((child) => [child.name, child.restarts()])),
      subscriber: { received: subscriber.received.length, connections: subscriber.connections(), errors: subscriber.errors() },
      problems,
      samples: sampler.samples,
    };
  } finally {
    await world.end();
  }
}

/** Each fault at its time, but never two at once on the same target: the second waits for the first. */
async function inflictAll(options: {
  readonly world: World;
  readonly plan: readonly PlannedFault[];
  readonly seed: number;
  readonly startMs: number;
  readonly onDone: (fault: FaultDone) => void;
  readonly onProblem: (problem: string) => void;
  readonly onProgress: (line: string) => void;
}): Promise<void> {
  const { world, plan, startMs } = options;
  const random = seededRandom(options.seed + 1);
  const busy = new Map<string, Promise<void>>();
  const elapsed = (): number => performance.now() - startMs;
  for (const { atMs, fault } of plan) {
    await wait(Math.max(0, atMs - elapsed()));
    const target = targetOf(fault);
    const inflicting = (busy.get(target) ?? Promise.resolve()).then(async () => {
      const { what, where } = describeFault(fault);
      const beganMs = elapsed();
      options.onProgress(`  ${Math.round(beganMs / 1_000)} s: ${where}: ${what}`);
      try {
        const { hit, skipped } = await inflict(world, fault, random);
        options.onDone({ atMs: beganMs, untilMs: elapsed(), what, where, hit, skipped });
      } catch (error) {
        options.onProblem(`${where}: ${what} could not be done or undone: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
    busy.set(target, inflicting);
  }
  await Promise.all(busy.values());
}

/** Waits until the provider answers nothing any more, the spools are empty, and all that is known of is booked and in order. @returns the provider's books. */
async function settle(world: World, load: Load) {
  const { endpoints, database } = world;
  return eventually(async () => {
    if ((await activeCalls(endpoints.simUrl)) > 0) throw new Error('the provider still answers');
    const calls = await readProviderBooks(endpoints.simUrl);
    const booked = await readRequestIds(database);
    const missing = [...knownRequests(calls, load.answers)].filter((id) => !booked.has(id));
    if (missing.length > 0) {
      await wait(500);
      throw new Error(`${missing.length} not in the ledger, such as ${missing.slice(0, 3)}`);
    }
    if (!(await isSequenced(database))) throw new Error('the journal still has lines without a position');
    return calls;
  }, drainMs);
}

async function nextPosition({ db }: DatabaseConnection): Promise<bigint> {
  const { rows } = await sql<{ next: bigint }>`select coalesce(max(next_position), 0) as next from journal_heads`.execute(db);
  return rows[0]?.next ?? 0n;
}

/** What requestTail shows: entries of the one organization there is, in order. */
async function readJournal({ db }: DatabaseConnection, from: bigint, until: bigint): Promise<readonly JournalLine[]> {
  const rows = await db
    .selectFrom('journal_positions')
    .innerJoin('ledger_entries', 'ledger_entries.entry_id', 'journal_positions.item_id')
    .select(['position', 'ledger_entries.request_id'])
    .where('item_kind', '=', 'entry')
    .where('position', '>=', from)
    .where('position', '<', until)
    .orderBy('position')
    .execute();
  return rows.map(({ position, request_id }) => ({ position, requestId: idFromUuid('request', request_id) }));
}

/** Minutes of a clock that was days behind are past their time; those that are not are recomputed below. */
function staysWhole({ grain }: RollupSums): boolean {
  return grain !== 'usage_minute';
}

/** Each bucket of each grain against the entries it sums, by other means than those that keep it (DESIGN.md, invariant 11). */
async function rollupProblems({ db }: DatabaseConnection): Promise<readonly string[]> {
  const today = Math.floor(Date.now() / dayMs) * dayMs;
  const oldestMinute = Math.ceil((Date.now() - retentionMs.minute) / 60_000) * 60_000;
  // Clocks were off by up to three days, which is longer than minutes are kept.
  const until = new Date(today + 6 * dayMs);
  const from = { minute: new Date(oldestMinute), hour: new Date(today - 5 * dayMs), day: new Date(today - 5 * dayMs) };
  const differences = await Promise.all(
    (['minute', 'hour', 'day'] as const).map((grain) => recomputeRollups(db, grain, { from: from[grain], until }, 3)),
  );
  return differences.flat().map((one) => `a rollup row is not what its entries sum to: ${JSON.stringify(one)}`);
}

/** Each entry's bytes against the hash that was taken of them: what the Merkle log's leaves will be made of. */
async function leafProblems({ db }: DatabaseConnection): Promise<readonly string[]> {
  const { rows } = await sql<{ other: bigint }>`select count(*) as other from ledger_entries where sha256(body) <> body_hash`.execute(db);
  return (rows[0]?.other ?? 0n) === 0n ? [] : [`${rows[0]?.other} entries whose bytes are not those that were hashed`];
}
