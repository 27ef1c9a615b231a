import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createDatabase } from '../../services/runtime/postgres.ts';
import { median } from './median.ts';
import { createTestDatabase } from './postgres.ts';

test('a test database is migrated, its own, and gone after the test', async () => {
  const first = await createTestDatabase();
  const second = await createTestDatabase();
  await first.owner.execute('create table mine (id int)');
  await expect(second.owner.execute('select * from mine')).rejects.toThrow('does not exist');
  await expect(first.writer.db.selectFrom('registry_revision').selectAll().execute()).resolves.toHaveLength(1);

  await first.drop();
  const late = createDatabase({ url: first.url, role: 'login', applicationName: 'late' });
  await expect(late.execute('select 1')).rejects.toThrow('does not exist');
  await late.close();
  await second.drop();
});

test('cloning is quick enough to be done for every test', async () => {
  const tookMs: number[] = [];
  for (let round = 0; round < 5; round++) {
    const startedAt = performance.now();
    await using database = await createTestDatabase();
    await sql`select 1`.execute(database.reader.db);
    tookMs.push(performance.now() - startedAt);
  }
  expect(median(tookMs)).toBeLessThan(1_000);
});
