import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { REQUESTS_TOPIC } from '../../../../schema/events/topics.ts';
import type { Database } from '../../../../schema/tables/database.ts';
import { moveDatabase } from '../../../../services/cli/move/move-database.ts';
import { bootstrap } from '../../../../services/registry/bootstrap.ts';
import { systemClock } from '../../../../services/runtime/clock.ts';
import type { DatabaseConnection } from '../../../../services/runtime/postgres.ts';
import { systemRandom } from '../../../../services/runtime/random.ts';
import { makeBudget, raiseAlert } from '../../../harness/alerts.ts';
import { createTestDatabase } from '../../../harness/postgres.ts';
import { testSecrets } from '../../../harness/registry.ts';
import { brokenBooks, leaseFunctions } from '../../../leases/sql/lease-functions.ts';

async function fill({ db }: DatabaseConnection): Promise<void> {
  const organization = { slug: 'acme', name: 'Acme "quoted", (and) \\ more\nlines' };
  await bootstrap(db, { secrets: testSecrets, clock: systemClock, random: systemRandom, organization, desired: [], demoKey: true });
  await db
    .insertInto('dead_letters')
    .values({
      id: randomUUID(),
      topic: REQUESTS_TOPIC.name,
      partition: 3,
      log_offset: 7n,
      reason: 'unreadable',
      detail: 'not JSON',
      organization_id: null,
      record_key: null,
      headers: { a: 'b' },
      value: Buffer.from([0, 255, 34, 92]),
    })
    .execute();
  const { id } = await db.selectFrom('organizations').select('id').where('slug', '=', 'acme').executeTakeFirstOrThrow();
  const budgetId = await makeBudget(db, id, 'Checkout');
  await lease(db, id, budgetId);
  const handedOut = await raiseAlert(db, id, budgetId);
  await raiseAlert(db, id, budgetId);
  await db.deleteFrom('alerts_to_hand_out').where('alert_id', '=', handedOut).execute();
  // Places in the journal, as the sequencer gives them.
  await sql`insert into journal_positions (organization_id, position, item_kind, item_id, occurred_at)
    select organization_id, row_number() over (partition by organization_id order by log_offset) - 1, item_kind, item_id, occurred_at
    from journal_unsequenced`.execute(db);
  await sql`insert into journal_heads select organization_id, count(*) from journal_positions group by 1`.execute(db);
  await sql`delete from journal_unsequenced`.execute(db);
}

/** Half of what a proxy leased of a budget is booked, and more than it leased of a rolling window. */
async function lease(db: Kysely<Database>, organization: string, budget: string): Promise<void> {
  const [node, limit] = [randomUUID(), randomUUID()];
  await db
    .insertInto('budget_limits')
    .values({
      id: limit,
      organization_id: organization,
      budget_id: budget,
      unit: 'usd',
      amount: 100n,
      window_kind: 'rolling',
      window_seconds: 3_600n,
    })
    .execute();
  const { id: month } = await db.selectFrom('budget_limits').select('id').where('window_kind', '=', 'month').executeTakeFirstOrThrow();
  const functions = leaseFunctions(db, organization);
  await functions.register(node, 1, 'incarnation');
  const asked = [month, limit].map((each) => ({ limit: each, need: 10n }));
  for (const { counter_id: counter } of await functions.ask(node, 1, asked))
    await functions.post([{ counter: counter ?? '', node, epoch: 1, debit: 5n, cost: 12n }]);
}

const leasing = ['lease_nodes', 'budget_counters', 'leases', 'lease_log', 'lease_postings', 'counter_totals', 'counter_buckets'] as const;

test('what is leased of budgets comes along, and a database that has leased already takes none over', async () => {
  await using source = await createTestDatabase();
  await using target = await createTestDatabase();
  await fill(source.writer);
  expect((await moveDatabase(source.owner.db, target.writer.db, false)).problems).toEqual([]);
  for (const table of leasing) {
    const rows = ({ db }: DatabaseConnection) => db.selectFrom(table).selectAll().execute();
    expect((await rows(source.owner)).length, table).toBeGreaterThan(0);
    expect(await rows(target.owner)).toEqual(await rows(source.owner));
  }
  expect(await brokenBooks(target.owner.db)).toEqual([]);
  await expect(sql`select lease_take_over('lease_nodes', '{}')`.execute(target.writer.db)).rejects.toThrow('takes no leases over');
  await expect(sql`select lease_take_over('ledger_entries', '{}')`.execute(source.writer.db)).rejects.toThrow('not a table of leasing');
});

test('every row comes over to the last byte, with its place in the journal and nothing left to sequence', async () => {
  await using source = await createTestDatabase();
  await using target = await createTestDatabase();
  await fill(source.writer);
  const { problems, tables } = await moveDatabase(source.owner.db, target.writer.db, false);
  expect(problems).toEqual([]);
  expect(tables.find(({ name }) => name === 'api_keys')?.rows).toBe(2n);
  for (const table of ['organizations', 'api_key_secrets', 'audit_events', 'journal_positions', 'journal_heads'] as const) {
    const rows = ({ db }: DatabaseConnection) => db.selectFrom(table).selectAll().execute();
    expect(await rows(target.owner)).toEqual(await rows(source.owner));
  }
  expect(await target.owner.db.selectFrom('journal_unsequenced').selectAll().execute()).toEqual([]);
});

test('an alert that was handed out to its channels is not handed out again, and one that was not still waits', async () => {
  await using source = await createTestDatabase();
  await using target = await createTestDatabase();
  await fill(source.writer);
  expect((await moveDatabase(source.owner.db, target.writer.db, false)).problems).toEqual([]);
  const waiting = ({ db }: DatabaseConnection) => db.selectFrom('alerts_to_hand_out').selectAll().execute();
  expect(await waiting(source.owner)).toHaveLength(1);
  expect(await waiting(target.owner)).toEqual(await waiting(source.owner));
});

test('a record that was set aside keeps apart from the same offset of the new log', async () => {
  await using source = await createTestDatabase();
  await using target = await createTestDatabase();
  await fill(source.writer);
  await moveDatabase(source.owner.db, target.writer.db, false);
  const letters = await target.owner.db.selectFrom('dead_letters').select(['topic', 'value']).execute();
  expect(letters).toEqual([{ topic: `${REQUESTS_TOPIC.name} (embedded)`, value: Buffer.from([0, 255, 34, 92]) }]);
});

test('nothing is kept of a dry run, nor of a copy whose journal has a gap, and a database in use is left alone', async () => {
  await using source = await createTestDatabase();
  await using target = await createTestDatabase();
  await fill(source.writer);
  const organizations = () => target.owner.db.selectFrom('organizations').select('slug').execute();
  expect((await moveDatabase(source.owner.db, target.writer.db, true)).problems).toEqual([]);
  expect(await organizations()).toEqual([]);
  await sql`update journal_heads set next_position = next_position + 1`.execute(source.owner.db);
  await expect(moveDatabase(source.owner.db, target.writer.db, false)).rejects.toThrow('have gaps');
  expect(await organizations()).toEqual([]);
  await fill(target.writer);
  await expect(moveDatabase(source.owner.db, target.writer.db, false)).rejects.toThrow('is not empty (audit_events');
});
