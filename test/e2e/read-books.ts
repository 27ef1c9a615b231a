import type { DatabaseConnection } from '../../services/runtime/postgres.ts';
import type { Account } from './judge-account.ts';
import { readJournalShape, readLedger, readRollupSums } from './ledger-rows.ts';

/** All that the database has to say for `judgeAccount`, as of one moment. */
export function readBooks({ db }: Pick<DatabaseConnection, 'db'>): Promise<Omit<Account, 'calls' | 'answers'>> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (moment) => {
      const at = { db: moment };
      const prices = await moment.selectFrom('price_versions').select(['name', 'sheet']).execute();
      const letters = await moment.selectFrom('dead_letters').selectAll().execute();
      return {
        ledger: await readLedger(at),
        sheets: new Map(prices.map(({ name, sheet }) => [name, sheet])),
        rollups: await readRollupSums(at),
        journals: await readJournalShape(at),
        deadLetters: letters.map(({ reason, detail }) => `${reason} (${detail})`),
      };
    });
}
