import pino from 'pino';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { BudgetWindow } from '../../../../schema/values/budget.ts';
import { startAlertTeller } from '../../../../services/ledger/alerts/alert-teller.ts';
import { tellAlerts } from '../../../../services/ledger/alerts/tell-alerts.ts';
import type { Budget } from '../../../../services/registry/budgets.ts';
import { archiveBudget, createBudget, raiseBudget, resetBudget, updateBudget } from '../../../../services/registry/budgets.ts';
import type { Change } from '../../../../services/registry/change.ts';
import { systemClock } from '../../../../services/runtime/clock.ts';
import { systemRandom } from '../../../../services/runtime/random.ts';
import { eventually } from '../../../harness/eventually.ts';
import type { TestDatabase } from '../../../harness/postgres.ts';
import { createTestDatabase } from '../../../harness/postgres.ts';
import { changeOf } from '../../../harness/registry.ts';
import type { LeaseFunctions } from '../../../leases/sql/lease-functions.ts';
import {
  insertOrganization,
  leaseFunctions,
  organizationId,
  setTestClock,
  stopClock,
  testId,
} from '../../../leases/sql/lease-functions.ts';

const startedAt = Date.parse('2026-03-10T12:00:00Z');
const day: BudgetWindow = { kind: 'day', zone: 'UTC', anchor: '2001-01-01T00:00:00' };
const lifetime: BudgetWindow = { kind: 'lifetime' };
const node = testId('node', 1);
let database: TestDatabase;
let leases: LeaseFunctions;
let nowMs: number;

beforeEach(async () => {
  database = await createTestDatabase();
  await stopClock(database, new Date(startedAt));
  await insertOrganization(database.writer.db);
  leases = leaseFunctions(database.writer.db);
  await leases.register(node, 1, 'one');
  nowMs = startedAt;
});
afterEach(() => database.drop());

async function clockAt(seconds: number): Promise<void> {
  nowMs = startedAt + seconds * 1_000;
  await setTestClock(database, new Date(nowMs));
  await database.owner.execute('update lease_nodes set seen_at = lease_now()');
}

const change = <Result>(write: (change: Change) => Promise<Result>): Promise<Result> =>
  changeOf(database.writer.db, organizationId, (made) => write({ ...made, clock: { ...systemClock, now: () => nowMs } }));

/** A budget of one limit over pico-USD, told of at a half, at four fifths and when it is used up. */
async function makeBudget(amount: bigint, window: BudgetWindow, name = 'Watched') {
  const { budget } = await change((made) =>
    createBudget(made, {
      name,
      selector: [],
      groupBy: [{ dimension: 'team', tagKey: null }],
      limits: [{ unit: 'usd', amount: amount.toString(), window }],
      thresholds: ['50', '80', '100'],
      enforcement: 'enforce',
      downgradeTo: null,
      onUnpricedModel: 'block',
      fallbackPrice: null,
    }),
  );
  return { id: budget.id, limit: budget.definition.limits[0]?.id ?? '' };
}

type Revision = { readonly id: string; readonly expectedVersion: number };

async function revise(id: string, write: (made: Change, revision: Revision) => Promise<{ readonly budget: Budget }>): Promise<void> {
  const { version } = await database.writer.db.selectFrom('budgets').select('version').where('id', '=', id).executeTakeFirstOrThrow();
  await change((made) => write(made, { id, expectedVersion: version }));
}

/** Settles on the counter of the present window, however little room was leased. @returns the counter. */
async function settle(limit: string, amount: bigint, { group = '', room = 1n } = {}): Promise<string> {
  const [answer] = await leases.ask(node, 1, [{ limit, group, need: room }]);
  if (answer?.counter_id == null) throw new Error(`nothing counts: ${answer?.outcome}`);
  await settleOn(answer.counter_id, amount);
  return answer.counter_id;
}

const settleOn = (counter: string, amount: bigint): Promise<void> =>
  leases.post([{ counter, node, epoch: 1, debit: amount, cost: amount }]);

/** Looks until nothing is left to look at. @returns how often which threshold was told, in percent, of all counters so far. */
async function look(): Promise<readonly string[]> {
  while ((await tellAlerts(database.writer.db, systemRandom, 5)).taken > 0);
  return told();
}

async function told(): Promise<readonly string[]> {
  const alerts = await database.writer.db
    .selectFrom('budget_alerts')
    .selectAll()
    .orderBy('created_at')
    .orderBy('counter_id')
    .orderBy('threshold_basis_points')
    .orderBy('occurrence')
    .execute();
  return alerts.map(({ threshold_basis_points: basisPoints, settled, amount }) => `${basisPoints / 100}%: ${settled} of ${amount}`);
}

test('an alert tells of which counter, window and group it is, what is held beside it, and when the limit is used up at this rate', async () => {
  const budget = await makeBudget(100n, day);
  const counter = await settle(budget.limit, 40n, { group: '["team_1"]', room: 60n });
  expect(await look()).toEqual([]);
  await clockAt(3_600);
  await settleOn(counter, 15n);
  expect(await look()).toEqual(['50%: 55 of 100']);
  expect(await database.writer.db.selectFrom('budget_alerts').selectAll().executeTakeFirstOrThrow()).toMatchObject({
    organization_id: organizationId,
    budget_id: budget.id,
    limit_id: budget.limit,
    counter_id: counter,
    kind: 'threshold',
    occurrence: 1,
    group_key: '["team_1"]',
    window_key: '0:day:2026-03-10T00:00:00Z',
    starts_at: new Date('2026-03-10T00:00:00Z'),
    ends_at: new Date('2026-03-11T00:00:00Z'),
    unit: 'usd',
    held: 5n,
    created_at: new Date(nowMs),
  });
});

test('once in a window, however many look at once, and not lost with one that dies while it tells', async () => {
  const budget = await makeBudget(100n, day);
  const dying = { ...systemRandom, bytes: () => Buffer.alloc(0) };
  await settle(budget.limit, 85n);
  await expect(tellAlerts(database.writer.db, dying, 10)).rejects.toThrow('random bytes');
  expect(await told()).toEqual([]);
  await Promise.all([look(), look(), look()]);
  const both = ['50%: 85 of 100', '80%: 85 of 100'];
  expect(await told()).toEqual(both);
  // The same again in the same window, and in the next one.
  await settle(budget.limit, 5n);
  expect(await look()).toEqual(both);
  await clockAt(86_400);
  await settle(budget.limit, 50n);
  expect(await look()).toEqual([...both, '50%: 50 of 100']);
});

test('ledgers that run at once, stop and start again tell each alert once', async () => {
  const budget = await makeBudget(100n, lifetime);
  const log = pino({ level: 'silent' });
  const metrics = { told: () => {}, lag: () => {} };
  const start = () => {
    const { db } = database.writer;
    const teller = startAlertTeller({ db, clock: systemClock, random: systemRandom, log, metrics, onTold: () => {}, everyMs: 20 });
    onTestFinished(teller.stop);
    return teller;
  };
  const first = [start(), start()];
  for (let settled = 0; settled < 60; settled += 10) await settle(budget.limit, 10n);
  await eventually(async () => (await told()).length > 0, 10_000);
  await Promise.all(first.map((teller) => teller.stop()));
  await settle(budget.limit, 30n);
  const second = [start(), start()];
  await eventually(async () => (await told()).length > 1, 10_000);
  await settle(budget.limit, 20n);
  await eventually(async () => (await told()).length > 2, 10_000);
  await Promise.all(second.map((teller) => teller.stop()));
  const alerts = await database.writer.db
    .selectFrom('budget_alerts')
    .select(['threshold_basis_points', 'occurrence'])
    .orderBy('threshold_basis_points')
    .execute();
  expect(alerts.map(({ threshold_basis_points, occurrence }) => [threshold_basis_points, occurrence])).toEqual([
    [5_000, 1],
    [8_000, 1],
    [10_000, 1],
  ]);
});

test('a raise can be crossed again; what was passed before it, and a limit that is lowered, is not told twice', async () => {
  const budget = await makeBudget(100n, lifetime);
  await settle(budget.limit, 80n);
  const crossed = ['50%: 80 of 100', '80%: 80 of 100'];
  expect(await look()).toEqual(crossed);
  await clockAt(10);
  await revise(budget.id, (made, revision) =>
    raiseBudget(made, { ...revision, unit: 'usd', window: lifetime, by: '50', until: new Date(startedAt + 60_000), reason: 'a test' }),
  );
  expect(await look()).toEqual(crossed);
  await settle(budget.limit, 40n);
  crossed.push('80%: 120 of 150');
  expect(await look()).toEqual(crossed);
  // Nobody has to settle anything for the end of the raise to be noticed, nor for a limit that is lowered.
  await clockAt(60);
  crossed.push('100%: 120 of 100');
  expect(await look()).toEqual(crossed);
  await clockAt(70);
  await revise(budget.id, (made, revision) =>
    updateBudget(made, { ...revision, limits: [{ unit: 'usd', amount: '60', window: lifetime }] }),
  );
  expect(await look()).toEqual(crossed);
});

test('a threshold that is added is looked at; a budget that is reset begins anew, and one that is archived tells nothing', async () => {
  const budget = await makeBudget(100n, lifetime);
  const former = await settle(budget.limit, 45n);
  expect(await look()).toEqual([]);
  await revise(budget.id, (made, revision) => updateBudget(made, { ...revision, thresholds: ['40', '50'] }));
  expect(await look()).toEqual(['40%: 45 of 100']);
  await clockAt(10);
  await revise(budget.id, (made, revision) => resetBudget(made, { ...revision, reason: 'a test' }));
  await settleOn(former, 10n);
  await settle(budget.limit, 40n);
  expect(await look()).toEqual(['40%: 45 of 100', '40%: 40 of 100']);
  await revise(budget.id, (made, revision) => archiveBudget(made, revision));
  await database.owner.execute(`insert into threshold_checks (counter_id) select id from budget_counters`);
  expect(await look()).toHaveLength(2);
});

test('what is settled late counts in its window, by the limit as it was at its end', async () => {
  const budget = await makeBudget(100n, day);
  const counter = await settle(budget.limit, 45n);
  await look();
  await clockAt(86_400);
  await settleOn(counter, 10n);
  expect(await look()).toEqual(['50%: 55 of 100']);
  await revise(budget.id, (made, revision) => updateBudget(made, { ...revision, limits: [{ unit: 'usd', amount: '60', window: day }] }));
  await settleOn(counter, 1n);
  expect(await look()).toEqual(['50%: 55 of 100']);
});

test('a rolling window is judged by what has not left it, and tells again when all of that is new', async () => {
  const budget = await makeBudget(100n, { kind: 'rolling', seconds: 3_600 });
  const counter = await settle(budget.limit, 40n);
  await clockAt(3_700);
  await settle(budget.limit, 40n);
  expect(await look()).toEqual([]);
  await clockAt(5_000);
  await settle(budget.limit, 15n);
  expect(await look()).toEqual(['50%: 55 of 100']);
  await clockAt(8_000);
  await settle(budget.limit, 50n);
  expect(await look()).toEqual(['50%: 55 of 100']);
  await clockAt(8_600);
  expect(await settle(budget.limit, 5n)).toBe(counter);
  expect(await look()).toEqual(['50%: 55 of 100', '50%: 70 of 100']);
});
