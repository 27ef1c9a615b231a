import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import OpenAI from 'openai';
import { idFromUuid } from '../../../schema/values/ids.ts';
import { checkLeases } from '../../../services/journal/check-leases.ts';
import type { ProviderEntry } from '../../e2e/provider-books.ts';
import { activeCalls, followProviderBooks } from '../../e2e/provider-books.ts';
import { eventually } from '../../harness/eventually.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { harm } from './budget-faults.ts';
import { startBudgetLoad } from './budget-load.ts';
import type { BudgetWorld, OneDollar } from './budget-world.ts';
import { inputPico, lastCentModel, oneDollarPico, outputPico, startBudgetWorld } from './budget-world.ts';
import type { BudgetEntry, BudgetVerdict } from './judge-budget.ts';
import { judgeBudget } from './judge-budget.ts';

export type BudgetOptions = {
  readonly seed: number;
  /** New dollars are spent for as long; one at least. */
  readonly forMs: number;
  readonly atOnce: number;
  /** Of one dollar: load ends there, used up or not. */
  readonly mostLoadMs: number;
  readonly onProgress: (line: string) => void;
};

export type BudgetRound = Omit<BudgetVerdict, 'problems'> & {
  readonly entries: number;
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
/** Everything is up again by then, booked, and given back: idle room after ten seconds. */
const drainMs = 180_000;
/** The dearest request: more is never asked at once. */
const mostTokensAtOnce = 16_000n;

/** Spends dollars through four proxies, one after the other, while they are killed and frozen and PostgreSQL stops; judges each. */
export async function runBudget(options: BudgetOptions): Promise<BudgetReport> {
  const { seed, onProgress } = options;
  onProgress(`starting PostgreSQL, the simulated provider, a ledger and ${proxyCount} proxies`);
  const world = await startBudgetWorld(proxyCount);
  const problems: string[] = [];
  const rounds: BudgetRound[] = [];
  try {
    const startMs = performance.now();
    const readOn = followProviderBooks(world.simUrl);
    do {
      const round = rounds.length + 1;
      const { problems: wrong, ...figures } = await spendOneDollar(world, options, round, readOn);
      rounds.push(figures);
      problems.push(...wrong.map((problem) => `dollar ${round}: ${problem}`));
      onProgress(describeRound(figures, round));
    } while (performance.now() - startMs < options.forMs && problems.length === 0);
    const children = [...world.proxies, world.ledger];
    for (const child of children) problems.push(...child.deaths);
    problems.push(...(await world.stop()));
    return { seed, rounds, restarts: Object.fromEntries(children.map((child) => [child.name, child.restarts()])), problems };
  } finally {
    await world.end();
  }
}

async function spendOneDollar(
  world: BudgetWorld,
  { seed, atOnce, mostLoadMs, onProgress }: BudgetOptions,
  round: number,
  readOn: () => Promise<readonly ProviderEntry[]>,
): Promise<BudgetRound & { readonly problems: readonly string[] }> {
  const random = seededRandom(seed + round * 7_919);
  const dollar = await world.newDollar(`dollar ${round}`);
  const problems: string[] = [];
  await Promise.all(world.proxies.map(({ url }) => eventually(async () => (await models(url(), dollar)) === 200, 60_000)));

  const startMs = performance.now();
  const load = startBudgetLoad({ urls: world.proxies.map(({ url }) => url()), secret: dollar.secret, atOnce, random });
  let over = false;
  const watch = (async () => {
    while (!over) {
      // PostgreSQL may be away: then there is nothing to look at.
      const state = await counterOf(world, dollar).catch(() => null);
      if (state !== null && state.settled + state.held > oneDollarPico + state.overrun)
        problems.push(`settled ${state.settled} and held ${state.held} are more than the limit and an overrun of ${state.overrun}`);
      await wait(50);
    }
  })();
  const faults = harm(world, { random: seededRandom(seed + round), onProgress });
  // Used up or not, it ends there; but not before each kind of fault was in it.
  void Promise.all([faults.all, wait(mostLoadMs)]).then(load.stop);
  await Promise.all([load.done, faults.all]);
  const done = await faults.end();
  problems.push(...done.problems);
  const loadMs = performance.now() - startMs;

  const restMs = performance.now();
  let calls: readonly ProviderEntry[] = [];
  const settle = async (): Promise<void> => {
    calls = await eventually(() => allBooked(world, readOn), drainMs);
  };
  await settle()
    .then(() => spendTheRest(world, dollar, settle))
    .catch((error: unknown) => problems.push(error instanceof Error ? error.message : String(error)));
  const counter = await eventually(async () => {
    const state = await counterOf(world, dollar);
    return state !== null && state.held === state.lost ? state : null;
  }, 60_000).catch(() => counterOf(world, dollar));
  over = true;
  await watch;
  if (counter === null) throw new Error('nothing was ever leased');
  const entries = await readEntries(world, dollar, counter.id);
  const { problems: wrong, ...verdict } = judgeBudget({
    limit: oneDollarPico,
    entries,
    counter,
    billed: billedOf(calls, new Map(entries.map(({ requestId, model }) => [requestId, model]))),
    smallest: outputPico,
  });
  problems.push(...wrong);
  for (const finding of await checkLeases(world.database.db, { withLog: true })) problems.push(`the leases: ${JSON.stringify(finding)}`);
  return {
    ...verdict,
    problems,
    entries: entries.length,
    settled: counter.settled,
    endings: Object.fromEntries(load.endings),
    faults: done.faults,
    loadMs,
    drainMs: performance.now() - restMs,
  };
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

async function counterOf({ database }: BudgetWorld, { limitId }: OneDollar) {
  const state = await database.db.selectFrom('counter_states').selectAll().where('limit_id', '=', limitId).executeTakeFirst();
  return state ?? null;
}

/** @throws Error while a call is under way or not booked, or a line has no position. @returns all calls of the provider. */
async function allBooked({ simUrl, database }: BudgetWorld, readOn: () => Promise<readonly ProviderEntry[]>) {
  if ((await activeCalls(simUrl)) > 0) throw new Error('the provider still answers');
  const calls = await readOn();
  const { rows } = await sql<{
    request_id: string;
  }>`select request_id from ledger_entries join journal_positions on item_id = entry_id`.execute(database.db);
  const booked = new Set(rows.map(({ request_id }) => idFromUuid('request', request_id)));
  const missing = calls.filter(({ requestId }) => requestId === null || !booked.has(requestId));
  if (missing.length > 0) {
    await wait(100);
    throw new Error(`${missing.length} calls are not booked, such as ${missing[0]?.requestId}`);
  }
  return calls;
}

/** What is left is asked for to the token: whoever is asked has to find it, wherever it lies. */
async function spendTheRest(world: BudgetWorld, dollar: OneDollar, settle: () => Promise<void>): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    const state = await counterOf(world, dollar);
    const rest = oneDollarPico - (state?.settled ?? 0n);
    const proxy = world.proxies[turn % world.proxies.length];
    const client = new OpenAI({ baseURL: `${proxy?.url()}/v1`, apiKey: dollar.secret, maxRetries: 30, timeout: 20_000, logLevel: 'off' });
    const most = rest / outputPico;
    const tokens = most > mostTokensAtOnce ? mostTokensAtOnce : most;
    const asked = client.chat.completions.create({
      model: `sim/${lastCentModel}`,
      messages: [{ role: 'user', content: 'the rest' }],
      // One token more than there is, at the end.
      max_completion_tokens: Number(tokens === 0n || tokens < 0n ? 1n : tokens),
      metadata: { simulator: `prompt-tokens=1; tokens=${tokens <= 0n ? 1n : tokens}` },
    });
    const refused = await asked.then(
      () => null,
      (error: unknown) => (error instanceof OpenAI.APIError ? error.code : String(error)),
    );
    if (tokens <= 0n) {
      if (refused !== 'insufficient_quota')
        throw new Error(`nothing is left (${rest}), and the next request was told ${refused ?? 'nothing'}`);
      return;
    }
    if (refused !== null) throw new Error(`${rest} is left, and a request for it was refused: ${refused}`);
    await settle();
  }
}

/** By position, in the words of their events. */
async function readEntries({ database }: BudgetWorld, { keyUuid }: OneDollar, counter: string): Promise<readonly BudgetEntry[]> {
  type Row = {
    request_id: string;
    outcome: string;
    model: string | null;
    error_code: string | null;
    debit: string | null;
    cost: string | null;
    refused: Record<string, string> | null;
  };
  const { rows } = await sql<Row>`
    select request_id, outcome, model, error_code, hold ->> 'debit' as debit, hold ->> 'cost' as cost, event -> 'refusedBy' as refused
    from ledger_entries join journal_positions on item_id = entry_id,
      lateral (select convert_from(body, 'UTF8')::jsonb as event) as parsed
      left join lateral (select hold from jsonb_array_elements(event -> 'holds') as hold where hold ->> 'counter' = ${counter}) as own on true
    where api_key_id = ${keyUuid} order by position`.execute(database.db);
  return rows.map(({ request_id, outcome, model, error_code, debit, cost, refused }) => ({
    requestId: idFromUuid('request', request_id),
    outcome,
    model,
    errorCode: error_code,
    hold: debit === null || cost === null ? null : { debit: BigInt(debit), cost: BigInt(cost) },
    refused:
      refused?.amount == null || refused.settled == null || refused.needed == null
        ? null
        : { needed: BigInt(refused.needed), amount: BigInt(refused.amount), settled: BigInt(refused.settled) },
  }));
}

/** What the provider bills, worked out apart from the product. @param own the models of the budget's requests, by request. */
function billedOf(calls: readonly ProviderEntry[], own: ReadonlyMap<string, string | null>): ReadonlyMap<string, bigint> {
  const bills = new Map<string, bigint>();
  for (const { requestId, billed } of calls) {
    if (requestId === null || billed === null || !own.has(requestId)) continue;
    const input = own.get(requestId) === `sim/${lastCentModel}` ? 0n : inputPico;
    const bill = BigInt(billed.promptTokens) * input + BigInt(billed.completionTokens) * outputPico;
    bills.set(requestId, (bills.get(requestId) ?? 0n) + bill);
  }
  return bills;
}

const usd = (pico: bigint): string => `${Number(pico) / 1e12} USD`;

function describeRound(
  { entries, settled, billed, overrun, unreported, orphans, endings, faults, loadMs, drainMs: rest }: BudgetRound,
  round: number,
): string {
  return [
    `dollar ${round}: ${entries} entries in ${(loadMs / 1_000).toFixed(1)} s of load and ${(rest / 1_000).toFixed(1)} s until all of it was used`,
    `billed ${usd(billed)}, settled ${usd(settled)}, overrun ${usd(overrun)}, ${orphans} orphans with ${usd(unreported)} beyond their holds`,
    `faults: ${faults.join(', ')}`,
    `endings: ${Object.entries(endings)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
  ].join('\n  ');
}
