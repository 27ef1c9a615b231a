import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { grantProcessLogin, scramVerifier } from '../../../services/cli/process-login.ts';
import { refusePendingMigrations } from '../../../services/runtime/migrate.ts';
import type { DatabaseRole } from '../../../services/runtime/postgres.ts';
import { createDatabase } from '../../../services/runtime/postgres.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import { createTestDatabase } from '../../harness/postgres.ts';

test('a verifier is what PostgreSQL computes of the same password and salt (RFC 7677, section 3)', () => {
  const verifier = scramVerifier('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'));
  expect(verifier).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  );
});

test('the login of the processes is made once, may take on their roles, and keeps its password', async () => {
  await using database = await createTestDatabase();
  const { db } = database.owner;
  const login = `app ${randomBytes(4).toString('hex')}`;
  const url = new URL(database.url);
  url.username = encodeURIComponent(login);
  url.password = 'p%40ss';
  const grant = () => grantProcessLogin(db, { processUrl: url.href, random: systemRandom });
  const stored = () => sql<{ verifier: string }>`select rolpassword as verifier from pg_authid where rolname = ${login}`.execute(db);
  const start = async (role: DatabaseRole): Promise<void> => {
    const process = createDatabase({ url: url.href, role, applicationName: 'turnpike-test', poolSize: 1 });
    await refusePendingMigrations(process.db).finally(() => process.close());
  };
  try {
    expect(await grant()).toEqual({ login, made: true });
    const { rows } = await stored();
    expect(rows[0]?.verifier).toMatch(/^SCRAM-SHA-256\$4096:/);
    expect(await grant()).toEqual({ login, made: false });
    expect((await stored()).rows).toEqual(rows);
    await start('writer');
    await start('reader');
    await sql`revoke turnpike_writer from ${sql.id(login)}`.execute(db);
    await expect(start('writer')).rejects.toThrow('DATABASE_OWNER_URL set: turnpike migrate');
  } finally {
    await sql`drop role if exists ${sql.id(login)}`.execute(db);
  }
});
