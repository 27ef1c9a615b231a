import { CompiledQuery, sql } from 'kysely';
import { expect, test } from 'vitest';
import { createDatabase, prepared } from '../../../services/runtime/postgres.ts';
import { eventually } from '../../harness/eventually.ts';
import { createTestDatabase } from '../../harness/postgres.ts';

test('a statement marked as prepared is prepared once a connection, others never', async () => {
  await using database = await createTestDatabase();
  const connection = createDatabase({ url: database.url, role: 'writer', applicationName: 'turnpike-test', poolSize: 1 });
  const text = prepared('select $1::int + 1 as sum');
  for (const value of [1, 2, 3]) {
    const { rows } = await connection.db.executeQuery<{ sum: number }>(CompiledQuery.raw(text, [value]));
    expect(rows).toEqual([{ sum: value + 1 }]);
  }
  const { rows } = await sql<{ statement: string; runs: bigint }>`select statement, generic_plans + custom_plans as runs
    from pg_prepared_statements where name <> ''`.execute(connection.db);
  expect(rows).toEqual([{ statement: text, runs: 3n }]);
  await connection.close();
});

test('a connection that breaks between two statements fails the next one and not the process', async () => {
  await using database = await createTestDatabase();
  const connection = createDatabase({ url: database.url, role: 'writer', applicationName: 'turnpike-test-doomed', poolSize: 1 });
  await expect(
    connection.db.connection().execute(async (db) => {
      await sql`select 1`.execute(db);
      await database.owner.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'turnpike-test-doomed'",
      );
      for (;;) await sql`select 1`.execute(db);
    }),
  ).rejects.toThrow();
  // The server's word may come before the end of the connection: then one more statement fails with it.
  expect(await eventually(() => sql`select 1 as one`.execute(connection.db))).toMatchObject({ rows: [{ one: 1 }] });
  await connection.close();
});
