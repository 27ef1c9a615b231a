import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { examineLeases } from '../../../services/cli/doctor-command.ts';
import { LEASE_LOG_QUERY, proveLeaseLog } from '../../../services/cli/lease-log-file.ts';
import { checkLeases, checkLeasesInParts } from '../../../services/journal/check-leases.ts';
import { startLeaseChecks } from '../../../services/ledger/lease-checks.ts';
import { createLedgerMetrics } from '../../../services/ledger/ledger-metrics.ts';
import { createMetrics } from '../../../services/runtime/metrics.ts';
import { eventually } from '../../harness/eventually.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { recordingLog } from '../../harness/recording-log.ts';
import { insertLimit, insertOrganization, leaseFunctions, testId } from '../../leases/sql/lease-functions.ts';

/** A counter with a lease that was granted 300, of which 120 are posted. */
async function books() {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const { db } = database.writer;
  await insertOrganization(db);
  const limit = await insertLimit(db, { number: 1, amount: 1_000n });
  const node = testId('node', 1);
  const functions = leaseFunctions(db);
  await functions.register(node, 1, 'n1');
  const [answer] = await functions.ask(node, 1, [{ limit, need: 300n }]);
  const counter = answer?.counter_id ?? '';
  await functions.post([{ counter, node, epoch: 1, debit: 100n, cost: 120n }]);
  await functions.giveBack(node, 1, [{ counter, returned: 50n }]);
  const examine = async () => {
    const lines: string[] = [];
    const healthy = await examineLeases(db, (line) => lines.push(line));
    return { healthy, kinds: lines.slice(0, -1).map((line) => line.split(' ')[0]), lines };
  };
  return { database, counter, examine };
}

test('books that are in order are found to be, with room held, settled, overrun and given back', async () => {
  const { examine } = await books();
  expect(await examine()).toMatchObject({ healthy: true, kinds: [], lines: [expect.stringContaining('adds up')] });
});

test('the log as it is exported is proved without the database', async () => {
  const { database } = await books();
  const { rows } = await sql.raw<{ json_build_object: unknown }>(LEASE_LOG_QUERY).execute(database.writer.db);
  async function* lines() {
    for (const row of rows) yield JSON.stringify(row.json_build_object);
  }
  expect(await proveLeaseLog(lines())).toEqual({ counters: 1, entries: 2, findings: [] });
});

test.each([
  ['a posting that was changed', 'update lease_postings set posted = posted + 1', ['committed', 'identity']],
  ['a total that was changed', 'update counter_totals set settled = settled - 1', ['committed', 'identity']],
  ['an excess that was taken out', 'update counter_totals set excess = excess - 1', ['committed', 'identity']],
  ['a lease that was made larger', 'update leases set granted = granted + 1', ['committed', 'identity']],
  ['a counter that was made smaller', 'update budget_counters set committed = committed - 1', ['committed', 'identity', 'log']],
  ['an entry of the log that is gone', 'delete from lease_log where version = 1', ['entry', 'log']],
  ['an entry of the log that says another amount', 'update lease_log set amount = amount + 1 where version = 2', ['entry', 'log']],
  ['an entry above the limit of its time', 'update lease_log set cap = 299 where version = 1', ['entry']],
])('%s is found, with the counter it is of', async (_what, damage, kinds) => {
  const { database, counter, examine } = await books();
  await database.owner.execute(`set session_replication_role = replica; alter table lease_log disable trigger all; ${damage}`);
  const found = await examine();
  expect(found.healthy).toBe(false);
  expect([...new Set(found.kinds)]).toEqual(kinds);
  expect(found.lines[0]).toContain(counter);
});

test('counters are found in parts of whatever size as they are all at once', async () => {
  const { database } = await books();
  const { db } = database.writer;
  const functions = leaseFunctions(db);
  const limit = testId('limit', 1);
  for (const group of ['a', 'b', 'c', 'd', 'e']) await functions.ask(testId('node', 1), 1, [{ limit, group, need: 3n }]);
  await database.owner.execute(`update budget_counters set cap = cap + 1, committed = committed + 1 where group_key in ('', 'b', 'e')`);
  const all = (await checkLeases(db, { withLog: false })).map(({ kind, counter_id }) => `${counter_id} ${kind}`);
  expect(all).toHaveLength(6);
  for (const size of [1, 2, 3, 5, 6, 7]) {
    const found = await checkLeasesInParts(db, new AbortController().signal, size);
    expect(found.map(({ kind, counter_id }) => `${counter_id} ${kind}`)).toEqual(all);
  }
});

test('the ledger finds a damaged counter by itself, and says so in its log and its metrics', async () => {
  const { database, counter } = await books();
  await database.owner.execute('update counter_totals set settled = settled - 1');
  const log = recordingLog();
  const registry = createMetrics({ process: 'ledger' });
  const checks = startLeaseChecks({ db: database.writer.db, log, metrics: createLedgerMetrics(registry) });
  onTestFinished(() => checks.stop());
  await eventually(async () => /turnpike_ledger_lease_findings\S* 2\n/.test(await registry.metrics()));
  expect(JSON.stringify(log.lines)).toContain(counter);
});
