import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { sqlStateOf } from '../runtime/postgres.ts';
import type { Random } from '../runtime/random.ts';
import { StartRefusal } from '../runtime/start-refusal.ts';

/** PostgreSQL's own figures. */
const iterations = 4_096;
const saltBytes = 16;

/**
 * What PostgreSQL stores of a password (RFC 5803 as PostgreSQL writes it), made here so that the password itself is never part
 * of a statement, which a server may log.
 */
export function scramVerifier(password: string, salt: Buffer): string {
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, 32, 'sha256');
  const hmac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`;
}

/**
 * Makes the login of `processUrl` where it is missing, owner of nothing, and lets it take on the two roles of the processes.
 * A login that exists keeps its password. `db` must be connected as the owner, after the migrations.
 * @returns the login, and whether it was made now.
 * @throws StartRefusal where the owner may not make logins.
 */
export async function grantProcessLogin(
  db: Kysely<Database>,
  options: { readonly processUrl: string; readonly random: Random },
): Promise<{ readonly login: string; readonly made: boolean }> {
  const url = new URL(options.processUrl);
  const login = decodeURIComponent(url.username);
  if (login === '') throw new StartRefusal('DATABASE_URL: expected a user in it, since DATABASE_OWNER_URL is set: who is to be let in?');
  const found = await sql`select from pg_roles where rolname = ${login}`.execute(db);
  const made = found.rows.length === 0;
  try {
    if (made) {
      const password = decodeURIComponent(url.password);
      const verifier = password === '' ? null : scramVerifier(password, options.random.bytes(saltBytes));
      await sql`create role ${sql.id(login)} login noinherit password ${sql.lit(verifier)}`.execute(db);
    }
    await sql`grant turnpike_writer, turnpike_reader to ${sql.id(login)}`.execute(db);
  } catch (error) {
    // Another `turnpike migrate` of the same moment made it.
    if (sqlStateOf(error) === '42710') return grantProcessLogin(db, options);
    if (sqlStateOf(error) !== '42501') throw error;
    throw new StartRefusal(
      `The login of DATABASE_OWNER_URL may not let ${login} in. As administrator: ` +
        `create role "${login}" login noinherit password '…'; grant turnpike_writer, turnpike_reader to "${login}";`,
      { cause: error },
    );
  }
  return { login, made };
}
