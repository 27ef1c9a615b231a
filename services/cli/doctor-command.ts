import { open } from 'node:fs/promises';
import type { Kysely } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { checkLeases, MOST_LEASE_FINDINGS } from '../journal/check-leases.ts';
import { refusePendingMigrations } from '../runtime/migrate.ts';
import { createDatabase } from '../runtime/postgres.ts';
import { StartRefusal } from '../runtime/start-refusal.ts';
import { proveLeaseLog } from './lease-log-file.ts';
import { runOnce } from './run-once.ts';

/** `turnpike doctor`: looks whether the books are in order, changes nothing, and exits with 1 where they are not. */
export function doctorCommand({ log }: { readonly log?: string }): Promise<void> {
  return runOnce(async ({ databaseUrl }) => {
    if (log !== undefined) {
      if (!(await examineLog(log, console.log))) process.exitCode = 1;
      return;
    }
    if (databaseUrl === null) throw new StartRefusal('DATABASE_URL: expected postgresql://user:password@host:port/database, found nothing');
    const database = createDatabase({
      url: databaseUrl,
      role: 'writer',
      applicationName: 'turnpike-doctor',
      poolSize: 1,
      statementTimeoutMs: 0,
    });
    try {
      await refusePendingMigrations(database.db);
      if (!(await examineLeases(database.db, console.log))) process.exitCode = 1;
    } finally {
      await database.close();
    }
  });
}

/** Proves an exported log of the leases by itself. @returns whether it is in order. */
async function examineLog(path: string, print: (line: string) => void): Promise<boolean> {
  const file = await open(path).catch((error: unknown) => {
    throw new StartRefusal(`--log: ${path} cannot be read`, { cause: error });
  });
  try {
    const { counters, entries, findings } = await proveLeaseLog(file.readLines());
    for (const finding of findings) print(finding);
    print(`${entries} entries of ${counters} counters: ${findings.length === 0 ? 'in order' : `${findings.length} finding(s)`}`);
    return findings.length === 0;
  } finally {
    await file.close();
  }
}

/** Proves the books of budgets, their whole log included. @returns whether they are in order. */
export async function examineLeases(db: Kysely<Database>, print: (line: string) => void): Promise<boolean> {
  const findings = await checkLeases(db, { withLog: true });
  for (const { kind, counter_id, found } of findings) print(`${kind.padEnd(9)}  ${counter_id}  ${JSON.stringify(found)}`);
  if (findings.length === 0)
    print('budgets: what is committed, settled and held adds up for every counter, and so does every entry of the log');
  else if (findings.length < MOST_LEASE_FINDINGS) print(`budgets: ${findings.length} finding(s)`);
  else print(`budgets: ${MOST_LEASE_FINDINGS} findings or more`);
  return findings.length === 0;
}
