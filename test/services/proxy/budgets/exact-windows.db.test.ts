import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { UNKNOWN_USAGE } from '../../../../schema/values/token-usage.ts';
import { sheetFromPerMillion } from '../../../../services/pricing/price-sheet.ts';
import type { PlannedHold, TakenHold } from '../../../../services/proxy/budgets/budget-holds.ts';
import { planHolds } from '../../../../services/proxy/budgets/budget-holds.ts';
import type { CompiledBudget } from '../../../../services/proxy/budgets/compiled-budgets.ts';
import { holdCosts } from '../../../../services/proxy/budgets/hold-costs.ts';
import type { LeaseDatabase } from '../../../../services/proxy/budgets/lease-database.ts';
import { createLeaseDatabase } from '../../../../services/proxy/budgets/lease-database.ts';
import { createLeaseNode } from '../../../../services/proxy/budgets/lease-node.ts';
import type { Ending } from '../../../../services/proxy/settlement/settle.ts';
import { localEnding } from '../../../../services/proxy/settlement/settle.ts';
import { eventually } from '../../../harness/eventually.ts';
import { createTestDatabase } from '../../../harness/postgres.ts';
import { recordingLog } from '../../../harness/recording-log.ts';
import { seededRandom } from '../../../harness/seeded-random.ts';
import { standingClock } from '../../../harness/standing-clock.ts';
import type { ModelCounter, ModelLimit } from '../../../leases/sql/admission-model.ts';
import { createAdmissionModel, leaseOf, roomAt } from '../../../leases/sql/admission-model.ts';
import {
  brokenBooks,
  insertLimit,
  insertOrganization,
  leaseFunctions,
  setTestClock,
  stopClock,
  testId,
} from '../../../leases/sql/lease-functions.ts';

const kinds = ['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year', 'rolling', 'lifetime'] as const;
const units = ['usd', 'tokens', 'requests'] as const;
/** A change of clocks forth and back, a day that begins at one, and one that does not exist. */
const zones = ['America/New_York', 'America/Havana', 'Australia/Lord_Howe', 'UTC'];
const anchors = ['2001-01-01T00:00:00', '2023-12-31T00:00:00', '2024-02-29T02:30:00'];
/** The end of a leap day, of a month, of a year, and in New York the hours that clocks skip and repeat; each by UTC or by that zone. */
const instants = [
  '2024-03-01T00:00:00Z',
  '2024-03-10T07:00:00Z',
  '2024-03-11T04:00:00Z',
  '2024-04-01T04:00:00Z',
  '2024-11-03T06:00:00Z',
  '2025-01-01T05:00:00Z',
];
/** A refusal is remembered for up to ten seconds. */
const rememberedMs = 10_000;
const node = testId('node', 1);
/** One pico-dollar a token: each amount can be met. */
const sheet = sheetFromPerMillion({ input: '0.000001', output: '0.000001' });
const nobody = { teamId: null, userId: null, serviceAccountId: null, apiKeyId: '', endUser: null, aliasOf: () => '' };
const subject = { ...nobody, model: null, provider: null, routeId: null, tags: {} };
const attempt = { provider: 'acme', upstreamModel: 'm', startMs: 0, durationMs: 1, status: 200, outcome: 'succeeded' as const };

/** TURNPIKE_TEST_SEED tries others. */
const seed = Number(process.env.TURNPIKE_TEST_SEED ?? 20_261_121);

/** What a call comes to that uses so many tokens; null: it was never made. */
function endingOf(tokens: number | null): Ending {
  if (tokens === null) return localEnding('failed', 503, 'upstream_unavailable', 1);
  const usage = { ...UNKNOWN_USAGE, input: tokens - Math.floor(tokens / 2), output: Math.floor(tokens / 2) };
  const attempts = [{ ...attempt, errorCode: null, providerRequestId: null }];
  return {
    ...localEnding('succeeded', 200, null, 1),
    attempts,
    usage,
    cost: { kind: 'rated', costPico: BigInt(tokens), priceVersion: 'v' },
  };
}

test('what requests a proxy lets through of a window comes to its limit exactly, for every kind of window in USD, tokens and requests', async () => {
  const random = seededRandom(seed);
  const clock = standingClock();
  const start = Date.parse('2024-02-28T12:00:00Z');
  await using database = await createTestDatabase();
  await stopClock(database, new Date(start));
  await insertOrganization(database.writer.db);
  const { post } = leaseFunctions(database.writer.db);
  const limits = kinds.flatMap((kind, index) =>
    units.map((unit, place) => {
      const amount = unit === 'requests' ? BigInt(1 + random.below(4)) : BigInt(1 + random.below(1_000_000_000));
      const zone = zones[(index + place) % zones.length] ?? 'UTC';
      const anchor = anchors[(index + 2 * place) % anchors.length] ?? '';
      return { kind, unit, zone, anchor, amount, windowSeconds: kind === 'rolling' ? 3_600 : null };
    }),
  );
  const budgets: CompiledBudget[] = [];
  for (const [index, { windowSeconds, ...limit }] of limits.entries()) {
    const id = await insertLimit(database.writer.db, { ...limit, number: index + 1, ...(windowSeconds === null ? {} : { windowSeconds }) });
    const compiled = { kind: 'budget', id, selector: [], except: null, groupBy: [], enforcement: 'enforce', downgradeTo: null } as const;
    const of = { id, unit: limit.unit, amount: limit.amount.toString(), window: { kind: 'lifetime' } } as const;
    budgets.push({ ...compiled, limits: [of], shared: [], warnsFrom: null, onUnpricedModel: 'block', fallbackPrice: null });
  }
  const model = createAdmissionModel(limits.map((limit): ModelLimit => ({ ...limit, anchor: Date.parse(`${limit.anchor}Z`) })));

  const real = createLeaseDatabase(database.writer.db, node, 'e1');
  let calls = 0;
  const counted =
    <Given extends readonly unknown[], Answer>(call: (...given: Given) => Promise<Answer>) =>
    (...given: Given): Promise<Answer> => {
      calls += 1;
      return call(...given).finally(() => {
        calls -= 1;
      });
    };
  const leaseDatabase: LeaseDatabase = {
    ask: counted(real.ask),
    giveBack: counted(real.giveBack),
    beat: counted(real.beat),
    register: counted(real.register),
    close: counted(real.close),
    tellOpen: counted(real.tellOpen),
    report: counted(real.report),
  };
  let timers: { readonly at: number; readonly run: () => void }[] = [];
  let nonces = 0;
  const leases = createLeaseNode({
    node,
    epoch: 1,
    incarnation: 'e1',
    finals: () => [],
    torn: () => [],
    closed: () => [],
    onClosed: () => {},
    moved: false,
    database: leaseDatabase,
    now: clock.monotonic,
    timers: {
      endOfTurn: (run) => void setImmediate(run),
      after: (delayMs, run) => {
        const timer = { at: clock.monotonic() + delayMs, run };
        timers.push(timer);
        return () => {
          timers = timers.filter((each) => each !== timer);
        };
      },
    },
    newNonce: () => `nonce ${++nonces}`,
    claimNextEpoch: async () => 2,
    log: recordingLog(),
    leaseWaitMs: 20_000,
    onExit: () => {},
  });
  /** What is due is done, and the database has answered: room that is on its way back fits nobody. */
  const inTouch = () =>
    eventually(() => {
      const due = timers.filter((timer) => timer.at <= clock.monotonic());
      timers = timers.filter((timer) => !due.includes(timer));
      for (const { run } of due) run();
      return leases.trouble() === null && calls === 0;
    });
  /** Time passes for the database and for the proxy, which does what is due by then. */
  const passTo = async (from: number, at: number): Promise<void> => {
    clock.pass(at - from);
    await setTestClock(database, new Date(at));
    await inTouch();
  };
  const began = leases.begin(60_000);
  await inTouch();
  await began;

  type Running = { readonly counter: ModelCounter; readonly id: string; readonly hold: TakenHold; readonly most: number };
  const running = limits.map((): Running[] => []);
  const lastRefused = limits.map(() => ({ counter: null as ModelCounter | null, at: 0 }));
  const wrong: unknown[] = [];
  let requests = 0;
  let admitted = 0;
  let refused = 0;

  const ask = async (index: number, at: number, tokens: bigint): Promise<boolean> => {
    const [budget] = budgets.slice(index);
    if (budget === undefined) throw new Error('no such budget');
    const bound = { input: Number(tokens - tokens / 3n), output: Number(tokens / 3n) };
    const plan = planHolds([budget], subject, bound, sheet);
    const [wanted] = plan.kind === 'holds' ? plan.holds : [];
    if (wanted === undefined) throw new Error('nothing is held');
    const counter = model.counterAt(index, at);
    const fits = wanted.amount <= roomAt(counter, at);
    requests += 1;
    const id = `request ${requests}`;
    const { taken, code } = await taking(id, wanted);
    if ((taken !== null) !== fits || code === 'accounting_unavailable') {
      wrong.push({ ...limits[index], at: new Date(at).toISOString(), hold: wanted.amount, room: roomAt(counter, at), code });
    }
    if (taken === null) {
      refused += 1;
      lastRefused[index] = { counter, at };
      return false;
    }
    admitted += 1;
    leaseOf(counter, node).granted += wanted.amount;
    running[index]?.push({ counter, id, hold: { ...wanted, counter: taken }, most: Number(tokens) });
    return true;
  };
  const taking = (id: string, wanted: PlannedHold) =>
    new Promise<{ readonly taken: string | null; readonly code: string | null }>((resolve) => {
      leases.take(id, [wanted], (holds, refusal) => resolve({ taken: holds?.[0]?.counter ?? null, code: refusal?.code ?? null }));
    });
  const settle = async (index: number, at: number, { counter, id, hold, most }: Running): Promise<void> => {
    const tokens = random.below(4) === 0 ? null : random.below(3) === 0 ? random.below(most + 1) : most;
    const { holds, settlement } = leases.settle(id, holdCosts([hold], endingOf(tokens)));
    leases.synced(settlement);
    const lease = leaseOf(counter, node);
    for (const { counter: of, debit, cost } of holds) {
      lease.posted += debit;
      lease.returned += hold.amount - debit;
      counter.posts.push({ at, debit, excess: cost - debit });
      await post([{ counter: of, node, epoch: 1, debit, cost }]);
    }
    running[index] = (running[index] ?? []).filter((each) => each.id !== id);
  };

  /** What is under way ends, then all that there is room for is asked for, in parts, and one unit more. */
  const useUp = async (index: number, at: number): Promise<void> => {
    for (const each of running[index] ?? []) await settle(index, at, each);
    const counter = model.counterAt(index, at);
    const last = lastRefused[index];
    if (last?.counter === counter && at - last.at <= rememberedMs) return;
    const isRequests = limits[index]?.unit === 'requests';
    for (let part = 0; roomAt(counter, at) > 0n; part += 1) {
      const room = roomAt(counter, at);
      const some = isRequests || part >= 2 ? room : 1n + (room * BigInt(random.below(100))) / 100n;
      if (!(await ask(index, at, isRequests ? BigInt(1 + random.below(9)) : some))) break;
      const [first] = running[index] ?? [];
      if (part < 2 && first !== undefined && random.below(2) === 0) await settle(index, at, first);
    }
    await ask(index, at, 1n);
  };

  let now = start;
  for (const at of instants.map((text) => Date.parse(text)).flatMap((instant) => [instant - 1, instant, instant + 11_000])) {
    await passTo(now, at);
    now = at;
    await Promise.all(limits.map((_, index) => useUp(index, at)));
    await turn();
    expect(wrong).toEqual([]);
  }
  expect([admitted, refused].map((count) => count > 200)).toEqual([true, true]);
  expect(await brokenBooks(database.owner.db)).toEqual([]);
}, 120_000);
