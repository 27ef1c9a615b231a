import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../../schema/tables/database.ts';
import { PlainFailure, StartRefusal } from '../../runtime/start-refusal.ts';
import { copyTables } from './copy-tables.ts';
import { type MovedTable, readMovedTables } from './moved-tables.ts';
import { type Verification, verifyCopy } from './verify-copy.ts';

/**
 * Carries one database into another in one transaction, and verifies before it commits: either all of it is there, to the last
 * row, or nothing is. A dry run does all the same and commits nothing.
 * @throws StartRefusal where the target holds something. @throws PlainFailure where the copy is not the original.
 */
export async function moveDatabase(source: Kysely<Database>, target: Kysely<Database>, dryRun: boolean): Promise<Verification> {
  const tables = await readMovedTables(source);
  const transaction = await target.startTransaction().execute();
  try {
    await refuseFilled(transaction, tables);
    await copyTables(source, transaction, tables);
    const verification = await verifyCopy(source, transaction, tables);
    if (verification.problems.length > 0) {
      throw new PlainFailure(
        `The copy is not the original, and nothing was kept of it:\n${verification.problems.map((problem) => `  ${problem}`).join('\n')}`,
      );
    }
    if (dryRun) await transaction.rollback().execute();
    else await transaction.commit().execute();
    return verification;
  } catch (error) {
    if (!transaction.isCommitted && !transaction.isRolledBack)
      await transaction
        .rollback()
        .execute()
        .catch(() => {});
    throw error;
  }
}

async function refuseFilled(target: Transaction<Database>, tables: readonly MovedTable[]): Promise<void> {
  const filled: string[] = [];
  for (const { name } of tables) {
    const { rows } = await sql`select from ${sql.table(name)} limit 1`.execute(target);
    if (rows.length > 0) filled.push(name);
  }
  if (filled.length === 0) return;
  throw new StartRefusal(
    `The database of DATABASE_URL is not empty (${filled.join(', ')}). A home moves into one that was migrated and not used: ` +
      'no turnpike bootstrap, and no process started on it.',
  );
}
