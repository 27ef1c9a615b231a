import { setTimeout as wait } from 'node:timers/promises';
import { checkLeases } from '../../../services/journal/check-leases.ts';
import type { ProviderEntry } from '../../e2e/provider-books.ts';
import { followProviderBooks } from '../../e2e/provider-books.ts';
import { eventually } from '../../harness/eventually.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { allBooked } from './all-booked.ts';
import { fitsWhole, spendTheRest } from './ask-for-the-rest.ts';
import { harm } from './budget-faults.ts';
import { startBudgetLoad } from './budget-load.ts';
import type { BudgetWorld, OneDollar } from './budget-world.ts';
import { startBudgetWorld } from './budget-world.ts';
import { billsOf, readCounted } from './counted-requests.ts';
import { countersOf } from './dollar-counters.ts';
import type { BudgetVerdict } from './judge-budget.ts';
import { judgeCounters, mostHoldPico } from './judge-counters.ts';
import type { LostRoom } from './lost-disks.ts';
import { releaseLost } from './lost-disks.ts';

export type BudgetOptions = {
  readonly seed: number;
  /** New dollars are spent for as long; one at least. */
  readonly forMs: number;
  readonly atOnce: number;
  /** Load ends there, used up or not, for all to recover. */
  readonly mostLoadMs: number;
  /** How often a dollar recovers and is spent on, where it is not used up before. */
  readonly mostRecoveries: number;
  /** Room that nobody asks for is waited for, too: it comes back after ten seconds, each time. */
  readonly patient: boolean;
  readonly onProgress: (line: string) => void;
};

export type BudgetRound = Omit<BudgetVerdict, 'problems'> & {
  readonly entries: number;
  readonly counters: number;
  /** Requests that the dollar itself had no room for. */
  readonly refusals: number;
  readonly settled: bigint;
  readonly endings: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
  readonly loadMs: number;
  readonly drainMs: number;
};

export type BudgetReport = {
  readonly seed: number;
  readonly rounds: readonly BudgetRound[];
  readonly restarts: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
};

const proxyCount = 4;
const upMs = 60_000;
/** Idle room comes back after ten seconds. */
const returnedMs = 60_000;

/** Spends dollars through four proxies, one after the other, while they are killed and frozen and PostgreSQL stops; judges each. */
export async function runBudget(options: BudgetOptions): Promise<BudgetReport> {
  const { seed, onProgress } = options;
  onProgress(`starting PostgreSQL, the simulated provider, a ledger and ${proxyCount} proxies`);
  const world = await startBudgetWorld(proxyCount);
  const problems: string[] = [];
  const rounds: BudgetRound[] = [];
  const dollars: OneDollar[] = [];
  try {
    const startMs = performance.now();
    const readOn = followProviderBooks(world.simUrl);
    do {
      const round = rounds.length + 1;
      const dollar = await world.newDollar(`dollar ${round}`);
      dollars.push(dollar);
      const { problems: wrong, ...figures } = await spendOneDollar(world, dollar, options, round, readOn);
      rounds.push(figures);
      problems.push(...wrong.map((problem) => `dollar ${round}: ${problem}`));
      onProgress(describeRound(figures, round));
    } while (performance.now() - startMs < options.forMs && problems.length === 0);
    const children = [...world.proxies, world.ledger];
    for (const child of children) problems.push(...child.deaths);
    problems.push(...(await world.stop()));
    // Who stops in order keeps nothing.
    for (const dollar of dollars) problems.push(...(await heldOf(world, dollar)));
    return { seed, rounds, restarts: Object.fromEntries(children.map((child) => [child.name, child.restarts()])), problems };
  } finally {
    await world.end();
  }
}

async function spendOneDollar(
  world: BudgetWorld,
  dollar: OneDollar,
  { seed, atOnce, mostLoadMs, mostRecoveries, patient, onProgress }: BudgetOptions,
  round: number,
  readOn: () => Promise<readonly ProviderEntry[]>,
): Promise<BudgetRound & { readonly problems: readonly string[] }> {
  const problems: string[] = [];
  const faults: string[] = [];
  const endings = new Map<string, number>();
  const room: LostRoom = new Map();
  const callsBefore = (await readOn()).length;
  const callsOfDollar = async () => (await readOn()).slice(callsBefore);
  await Promise.all(world.proxies.map(({ url }) => eventually(async () => (await models(url(), dollar)) === 200, upMs)));
  const watch = watchSums(world, dollar);

  let loadMs = 0;
  let drainMs = 0;
  let disksLost = 0;
  for (let recovery = 1; recovery <= mostRecoveries && problems.length === 0; recovery += 1) {
    const loadedAt = performance.now();
    const random = seededRandom(seed + round * 7_919 + recovery * 104_729);
    const load = startBudgetLoad({ urls: world.proxies.map(({ url }) => url()), secret: dollar.secret, atOnce, random });
    const harming = harm(world, { random: seededRandom(seed + round + recovery * 15_485_863), onProgress });
    // Used up or not, it ends there; but not before each kind of fault was in it.
    void Promise.all([harming.all, wait(mostLoadMs)]).then(load.stop);
    await Promise.all([load.done, harming.all]);
    const done = await harming.end();
    problems.push(...done.problems);
    faults.push(...done.faults);
    disksLost += done.lostNodes.length;
    for (const [ending, count] of load.endings) endings.set(ending, (endings.get(ending) ?? 0) + count);
    const restedAt = performance.now();
    loadMs += restedAt - loadedAt;

    const recovered = recover(world, dollar, { nodes: done.lostNodes, room, callsOfDollar, patient });
    problems.push(...(await recovered.catch((error: unknown) => [error instanceof Error ? error.message : String(error)])));
    drainMs += performance.now() - restedAt;
    onProgress(`    recovery ${recovery}: after ${((performance.now() - restedAt) / 1_000).toFixed(1)} s all that was left could be had`);
    if ((endings.get('insufficient_quota') ?? 0) >= atOnce) break;
  }
  const spentAt = performance.now();
  if (problems.length === 0)
    await spendTheRest(world, dollar).catch((error: unknown) => problems.push(error instanceof Error ? error.message : String(error)));
  await nothingHeld(world, dollar, patient).catch((error: unknown) =>
    problems.push(error instanceof Error ? error.message : String(error)),
  );
  drainMs += performance.now() - spentAt;
  problems.push(...(await watch.end()));

  const { main, ...judged } = await judgeCounters(world, dollar, {
    calls: await callsOfDollar(),
    room: disksLost === 0 ? null : room,
    patient,
  });
  problems.push(...judged.problems);
  for (const finding of await checkLeases(world.database.db, { withLog: true })) problems.push(`the leases: ${JSON.stringify(finding)}`);
  return { ...main, ...judged, problems, endings: Object.fromEntries(endings), faults, loadMs, drainMs };
}

/** Looks on while others spend: what is settled and held is within the limit and the overruns at every look. */
function watchSums(world: BudgetWorld, dollar: OneDollar): { readonly end: () => Promise<readonly string[]> } {
  const problems: string[] = [];
  let over = false;
  const watching = (async () => {
    while (!over) {
      // PostgreSQL may be away: then there is nothing to look at.
      for (const { unit, amount, settled, held, overrun } of await countersOf(world, dollar).catch(() => [])) {
        if (settled + held > amount + overrun)
          problems.push(`settled ${settled} and held ${held} of ${unit} are more than ${amount} and an overrun of ${overrun}`);
      }
      await wait(50);
    }
  })();
  return {
    end: async () => {
      over = true;
      await watching;
      return problems;
    },
  };
}

/**
 * After the faults: all is booked, lost disks are listed as lost and released, nothing else is held, and whatever is left fits into one request of any
 * proxy, but not a token more. @returns what is wrong, in words.
 */
async function recover(
  world: BudgetWorld,
  dollar: OneDollar,
  options: {
    readonly nodes: readonly string[];
    readonly room: LostRoom;
    readonly callsOfDollar: () => Promise<readonly ProviderEntry[]>;
    readonly patient: boolean;
  },
): Promise<readonly string[]> {
  const { nodes, room, callsOfDollar, patient } = options;
  await allBooked(world, dollar);
  const requests = await readCounted(world, dollar);
  const booked = new Set(requests.map(({ requestId }) => requestId));
  const calls = (await callsOfDollar()).filter(({ requestId }) => requestId === null || !booked.has(requestId));
  const bills = [...billsOf(calls, requests).values()].filter((bill) => bill <= mostHoldPico);
  const unaccounted = (unit: string): bigint =>
    unit === 'requests' ? BigInt(calls.length) : bills.reduce((one, other) => one + other, 0n);
  const problems = [...(await releaseLost(world, dollar, { nodes, unaccounted, room }))];
  // Else those who still have some are asked for it.
  if (patient) await nothingHeld(world, dollar, patient);
  await fitsWhole(world, dollar);
  return problems;
}

async function models(url: string, { secret }: OneDollar): Promise<number | null> {
  const headers = { authorization: `Bearer ${secret}` };
  return fetch(`${url}/v1/models`, { headers, signal: AbortSignal.timeout(5_000) }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.status;
    },
    () => null,
  );
}

/** Resolves once nothing is held of the dollar but what is lost; and of its other counters, which nobody asks for room. */
async function nothingHeld(world: BudgetWorld, dollar: OneDollar, patient: boolean): Promise<void> {
  await eventually(async () => {
    const held = await heldOf(world, dollar, patient ? null : dollar.limitId);
    if (held.length > 0) throw new Error(held.join(', '));
    return true;
  }, returnedMs);
}

/** What is held and not lost, in words. @param limit of one limit alone. */
async function heldOf(world: BudgetWorld, dollar: OneDollar, limit: string | null = null): Promise<readonly string[]> {
  const holding = (await countersOf(world, dollar)).filter(
    ({ limit_id, held, lost }) => held !== lost && (limit === null || limit === limit_id),
  );
  return holding.map(({ id, unit, held, lost }) => `${held - lost} ${unit} of counter ${id} are still held, and not lost`);
}

const usd = (pico: bigint): string => `${Number(pico) / 1e12} USD`;

function describeRound(round: BudgetRound, number: number): string {
  const {
    entries,
    counters,
    refusals,
    settled,
    billed,
    overrun,
    unreported,
    orphans,
    lost,
    endings,
    faults,
    loadMs,
    drainMs: rest,
  } = round;
  return [
    `dollar ${number}: ${entries} entries in ${(loadMs / 1_000).toFixed(1)} s of load and ${(rest / 1_000).toFixed(1)} s until all of it was used`,
    `billed ${usd(billed)}, settled ${usd(settled)}, overrun ${usd(overrun)}; ${orphans} orphans and ${lost} calls of lost disks, ${usd(unreported)} beyond their holds`,
    `${refusals} refusals of the dollar itself, ${counters} counters`,
    `faults: ${faults.join(', ')}`,
    `endings: ${Object.entries(endings)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
  ].join('\n  ');
}
