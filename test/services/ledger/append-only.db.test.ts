import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { uuidFromId } from '../../../schema/values/ids.ts';
import type { DatabaseConnection } from '../../../services/runtime/postgres.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { assign, postRecords } from './posting.ts';
import { addTestPrice, anId, recordOf, recordsOf, settledEvent } from './settled-records.ts';

let database: TestDatabase;
let partition: string;

beforeEach(async () => {
  database = await createTestDatabase();
  await addTestPrice(database.writer.db);
  const { epoch } = await assign(database.writer);
  await postRecords(database.writer, recordsOf(3), { epoch });
  const { rows } = await sql<{ name: string }>`select distinct tableoid::regclass::text as name from ledger_entries`.execute(
    database.owner.db,
  );
  partition = rows[0]?.name ?? '';
});
afterEach(() => database.drop());

async function fingerprint(): Promise<unknown> {
  const { rows } =
    await sql`select count(*), md5(string_agg(entry_id::text || cost || status, ',' order by entry_id)) from ledger_entries`.execute(
      database.owner.db,
    );
  return rows;
}

const changes = () => [
  'update ledger_entries set cost = 0',
  'delete from ledger_entries',
  'truncate ledger_entries',
  `update ${partition} set cost = 0`,
  `delete from ${partition}`,
  `truncate ${partition}`,
  'merge into ledger_entries as kept using (select 1) as one on true when matched then delete',
];

test('update, delete and truncate of an entry are refused to the owner too, by a trigger', async () => {
  const before = await fingerprint();
  for (const change of changes()) await expect(database.owner.execute(change), change).rejects.toThrow('append-only');
  await expect(fingerprint()).resolves.toEqual(before);
});

test('session_replication_role = replica does not switch the triggers off', async () => {
  const before = await fingerprint();
  for (const change of changes()) {
    await expect(database.owner.execute(`set session_replication_role = replica; ${change}`), change).rejects.toThrow('append-only');
  }
  for (const table of ['audit_events', 'journal_positions', 'price_versions', 'model_prices']) {
    const truncate = `set session_replication_role = replica; truncate ${table} cascade`;
    await expect(database.owner.execute(truncate), table).rejects.toThrow('append-only');
  }
  await expect(fingerprint()).resolves.toEqual(before);
});

test('the writer is not granted update, delete or truncate, nor a way round by the partition', async () => {
  for (const change of changes()) await expect(database.writer.execute(change), change).rejects.toThrow(/permission denied/);
  await expect(database.writer.execute(`insert into ${partition} select * from ledger_entries`)).rejects.toThrow('permission denied');
  await expect(database.writer.execute('alter table ledger_entries disable trigger all')).rejects.toThrow('must be owner');
  await expect(
    database.writer.execute('create trigger mine before insert on ledger_entries execute function forbid_change()'),
  ).rejects.toThrow();
});

test('an update of a ledger row does not compile', () => {
  const { db } = database.writer;
  // @ts-expect-error every column's update type is never
  const update = db.updateTable('ledger_entries').set({ cost: 0n });
  expect(update.compile().sql).toContain('update');
  // @ts-expect-error neither is one of the order that was given out
  expect(db.updateTable('journal_positions').set({ position: 1n }).compile().sql).toContain('update');
});

test('a reader that names no organization sees nothing, and one that does sees only its own', async () => {
  const [mine, other] = [anId('organization'), anId('organization')];
  const { epoch } = await assign(database.writer);
  const events = [settledEvent({ organizationId: mine }), settledEvent({ organizationId: mine }), settledEvent({ organizationId: other })];
  await postRecords(
    database.writer,
    events.map((event, index) =>
      recordOf(event, { offset: BigInt(10 + index), subject: { salt: '00'.repeat(16), endUser: 'eve', address: null, metadata: null } }),
    ),
    { epoch },
  );

  for (const table of [
    'ledger_entries',
    'request_subject',
    'usage_minute',
    'usage_hour',
    'usage_day',
    'journal_positions',
    'journal_heads',
    'dead_letters',
  ]) {
    await expect(countAs(database.reader, table, null), table).resolves.toBe(0n);
  }
  await expect(countAs(database.reader, 'ledger_entries', mine)).resolves.toBe(2n);
  await expect(countAs(database.reader, 'request_subject', mine)).resolves.toBe(2n);
  await expect(countAs(database.reader, 'usage_day', other)).resolves.toBe(1n);
  await expect(countAs(database.reader, partition, mine)).rejects.toThrow('permission denied');
  await expect(database.reader.execute('insert into ledger_entries select * from ledger_entries')).rejects.toThrow('permission denied');
});

async function countAs({ db }: DatabaseConnection, table: string, organizationId: string | null): Promise<bigint | undefined> {
  return db.transaction().execute(async (trx) => {
    if (organizationId !== null) {
      await sql`select set_config('turnpike.organization_id', ${uuidFromId('organization', organizationId)}, true)`.execute(trx);
    }
    const { rows } = await sql<{ count: bigint }>`select count(*) from ${sql.table(table)}`.execute(trx);
    return rows[0]?.count;
  });
}
