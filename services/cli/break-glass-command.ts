import { hostname, userInfo } from 'node:os';
import { idFromUuid, uuidFromId } from '../../schema/values/ids.ts';
import { breakGlass } from '../registry/break-glass.ts';
import { RegistryError } from '../registry/change.ts';
import { systemClock } from '../runtime/clock.ts';
import { refusePendingMigrations } from '../runtime/migrate.ts';
import { createDatabase } from '../runtime/postgres.ts';
import { systemRandom } from '../runtime/random.ts';
import { deriveSecrets, loadMasterKey } from '../runtime/secrets.ts';
import { StartRefusal } from '../runtime/start-refusal.ts';
import { runOnce } from './run-once.ts';

export type BreakGlassSettings = {
  readonly reason: string;
  /** `key_…` */
  readonly key?: string;
};

/** `turnpike break-glass`: a new secret for a lost admin key, for who has the database and the master key. */
export function breakGlassCommand(settings: BreakGlassSettings): Promise<void> {
  return runOnce(async (environment) => {
    const { databaseUrl, home } = environment;
    if (databaseUrl === null) {
      throw new StartRefusal(
        `DATABASE_URL is not set. An embedded installation needs no such command: its admin key is in ${home}/endpoints.json, and ` +
          'where that file is gone, or its key does not work any more, the next `npm start` makes a good one.',
      );
    }
    const keyId = settings.key === undefined ? null : uuidFromId('apiKey', settings.key);
    if (settings.key !== undefined && keyId === null)
      throw new StartRefusal(`--key: expected the id of a key, key_…, found ${settings.key}`);
    const reason = settings.reason.trim();
    if (reason === '' || reason.length > 500) throw new StartRefusal('--reason: expected 1 to 500 characters; they stand in the audit log');
    const masterKey = await loadMasterKey({ given: environment.masterKey, home, random: systemRandom, mustBeGiven: true });
    const database = createDatabase({ url: databaseUrl, role: 'writer', applicationName: 'turnpike-break-glass', poolSize: 1 });
    try {
      await refusePendingMigrations(database.db);
      const { key, secret, organization, recovered } = await breakGlass(database.db, {
        secrets: deriveSecrets(masterKey),
        clock: systemClock,
        random: systemRandom,
        operator: operator(),
        reason,
        keyId,
      });
      console.log(`organization  ${organization}`);
      console.log(`key           ${idFromUuid('apiKey', key.id)}  ${key.name}`);
      console.log(`admin key     ${secret}`);
      console.log(recovered ? 'Its former secrets have ended, and it works from every address.' : 'No such key was left, so it was made.');
      console.log('Keep it now: only its hash is stored. The audit log says who did this, when and why.');
    } catch (error) {
      if (error instanceof RegistryError) throw new StartRefusal(`Nothing was done: ${error.message}`, { cause: error });
      throw error;
    } finally {
      await database.close();
    }
  });
}

/** Who is at the keyboard, as far as the operating system tells. */
function operator(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A user without an entry in the password file, as containers have.
    return `uid ${process.getuid?.() ?? 'unknown'}@${hostname()}`;
  }
}
