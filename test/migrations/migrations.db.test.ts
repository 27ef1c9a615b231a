import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { migrate, pendingMigrations, readMigrations } from '../../services/runtime/migrate.ts';
import { createTestDatabase } from '../harness/postgres.ts';

test('an empty database is migrated whole, by several at once, and a second time does nothing', async () => {
  await using database = await createTestDatabase();
  await database.owner.execute('drop schema public cascade; create schema public');
  const migrations = await readMigrations();
  const { db } = database.owner;
  const applied = await Promise.all([migrate({ db, migrations }), migrate({ db, migrations })]);

  expect(applied.flat().sort()).toEqual(migrations.map(({ name }) => name));
  await expect(migrate({ db, migrations })).resolves.toEqual([]);
  await expect(pendingMigrations(database.writer.db, migrations)).resolves.toEqual([]);
});

test('every table a reader can see either separates tenants or holds nothing of theirs', async () => {
  await using database = await createTestDatabase();
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where nspname = 'public' and relkind in ('r', 'p') and not relrowsecurity and has_any_column_privilege('turnpike_reader', pg_class.oid, 'select')
    order by relname`.execute(database.owner.db);
  expect(rows.map(({ name }) => name)).toEqual([
    'lease_generation',
    'lease_nodes',
    'log_offsets',
    'registry_revision',
    'schema_migrations',
  ]);
});

test('functions that act as the owner are not open to everybody and cannot be led astray by a search path', async () => {
  await using database = await createTestDatabase();
  const { rows } = await sql<{ name: string; settings: string[] | null; open: boolean; trigger: boolean }>`
    select proname as name, proconfig as settings, has_function_privilege('public', pg_proc.oid, 'execute') as open,
      prorettype = 'trigger'::regtype as trigger
    from pg_proc join pg_namespace on pg_namespace.oid = pronamespace where nspname = 'public' and prosecdef order by proname`.execute(
    database.owner.db,
  );
  expect(rows.map(({ name }) => name)).toEqual([
    'budget_post',
    'ensure_ledger_partition',
    'lease_ask',
    'lease_beat',
    'lease_close',
    'lease_correct',
    'lease_declare_lost',
    'lease_oldest_open_holds',
    'lease_open_holds',
    'lease_post',
    'lease_register',
    'lease_release',
    'lease_report',
    'lease_reset',
    'lease_return',
    'lease_take_over',
    'lease_tell_open',
    'purge_buckets',
    'purge_counters',
    'queue_alerts_to_hand_out',
    'queue_audit_events',
    'queue_budget_alerts',
    'queue_changed_limit',
    'queue_changed_thresholds',
    'queue_changed_totals',
    'queue_entries',
    'share_tell',
    'sum_up_long_logs',
  ]);
  for (const { name, settings, open, trigger } of rows) {
    expect(settings, name).toContain('search_path=public, pg_temp');
    // A trigger function can only be called by its trigger.
    expect(open && !trigger, name).toBe(false);
  }
});

test('a function of the leases finds its names where they were when it was made, whatever the search path of the caller', async () => {
  await using database = await createTestDatabase();
  const { rows } = await sql<{ name: string }>`
    select proname as name from pg_proc where pronamespace = 'public'::regnamespace and proname ~ '^(lease_|budget_|first_instant|check_budget)'
      and prosqlbody is null and not coalesce('search_path=public, pg_temp' = any (proconfig), false)`.execute(database.owner.db);
  expect(rows).toEqual([]);
});

test('budgets that were defined before leasing knew of limits have theirs afterwards, but for those that are archived', async () => {
  await using database = await createTestDatabase();
  const migrations = await readMigrations();
  const { db } = database.owner;
  const window = { kind: 'month', zone: 'Europe/Berlin', anchor: '2001-01-15T06:00:00' };
  const limits = [
    { id: '00000000-0000-7000-8000-000000000001', unit: 'usd', amount: '123456789012345678901234567890', window },
    { id: '00000000-0000-7000-8000-000000000002', unit: 'tokens', amount: '5', window: { kind: 'rolling', seconds: 3_600 } },
    { id: '00000000-0000-7000-8000-000000000003', unit: 'requests', amount: '7', window: { kind: 'lifetime' } },
  ];
  const archived = { id: '00000000-0000-7000-8000-000000000004', unit: 'usd', amount: '1', window: { kind: 'lifetime' } };
  await sql`insert into organizations (id, slug, name, created_at, updated_at) values (${limits[0]?.id}, 'acme', 'Acme', now(), now())`.execute(
    db,
  );
  for (const [index, [own, archivedAt]] of [[limits, null] as const, [[archived], new Date()] as const].entries()) {
    await sql`insert into budgets (id, organization_id, name, definition, created_at, updated_at, archived_at)
      values (${own[0]?.id}, ${limits[0]?.id}, ${`Budget ${index}`}, ${JSON.stringify({ limits: own })}, now(), now(), ${archivedAt})`.execute(
      db,
    );
  }
  await database.owner.execute(migrations.find(({ name }) => name.endsWith('limits_of_budgets.sql'))?.sql ?? '');
  const rows = await db
    .selectFrom('budget_limits')
    .select(['id', 'unit', 'amount', 'window_kind', 'window_zone', 'window_anchor', 'window_seconds'])
    .orderBy('id')
    .execute();
  expect(rows.map((row) => Object.values(row))).toEqual([
    [limits[0]?.id, 'usd', 123_456_789_012_345_678_901_234_567_890n, 'month', 'Europe/Berlin', '2001-01-15T06:00:00', null],
    [limits[1]?.id, 'tokens', 5n, 'rolling', 'UTC', '2001-01-01T00:00:00', 3_600n],
    [limits[2]?.id, 'requests', 7n, 'lifetime', 'UTC', '2001-01-01T00:00:00', null],
  ]);
});
