import { bootstrap } from '../registry/bootstrap.ts';
import { RegistryError } from '../registry/change.ts';
import { systemClock } from '../runtime/clock.ts';
import { refusePendingMigrations } from '../runtime/migrate.ts';
import { createDatabase } from '../runtime/postgres.ts';
import { systemRandom } from '../runtime/random.ts';
import { deriveSecrets, loadMasterKey } from '../runtime/secrets.ts';
import { StartRefusal } from '../runtime/start-refusal.ts';
import { configuredStates } from './configuration/configured-states.ts';
import { runOnce } from './run-once.ts';
import { simulatedProvider } from './start/simulated-provider.ts';

export type BootstrapSettings = {
  readonly slug: string;
  readonly name: string;
  /** Origin of a running simulator, e.g. `http://sim:4200`. */
  readonly simulator?: string;
};

/** `turnpike bootstrap`: the first organization and admin key of given servers, printed once. */
export function bootstrapCommand(settings: BootstrapSettings): Promise<void> {
  return runOnce(async (environment) => {
    const { databaseUrl, home } = environment;
    if (databaseUrl === null) {
      throw new StartRefusal(
        'DATABASE_URL is not set. `npm start` makes its own first organization and keys; given servers need this command.',
      );
    }
    const simulatorUrl = parseOrigin(settings.simulator);
    const masterKey = await loadMasterKey({ given: environment.masterKey, home, random: systemRandom, mustBeGiven: true });
    const desired = await configuredStates(environment, systemClock);
    if (simulatorUrl !== null) desired.push(await simulatorAt(simulatorUrl));
    const database = createDatabase({ url: databaseUrl, role: 'writer', applicationName: 'turnpike-bootstrap', poolSize: 1 });
    try {
      await refusePendingMigrations(database.db);
      const made = await bootstrap(database.db, {
        secrets: deriveSecrets(masterKey),
        clock: systemClock,
        random: systemRandom,
        organization: { slug: settings.slug, name: settings.name },
        desired,
        demoKey: simulatorUrl !== null,
      });
      console.log(`organization  ${made.organizationId}  ${settings.slug}`);
      console.log(`admin key     ${made.adminKey}`);
      if (made.demoKey !== null) console.log(`demo key      ${made.demoKey}`);
      console.log('Keep them now: only their hashes are stored.');
    } catch (error) {
      if (error instanceof RegistryError) throw new StartRefusal(`Nothing was made: ${error.message}`, { cause: error });
      throw error;
    } finally {
      await database.close();
    }
  });
}

function parseOrigin(text: string | undefined): string | null {
  if (text === undefined) return null;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new StartRefusal(`--simulator: expected http://host:port, found ${text}`);
  return url.origin;
}

async function simulatorAt(origin: string): ReturnType<typeof simulatedProvider> {
  try {
    return await simulatedProvider(origin);
  } catch (error) {
    throw new StartRefusal(`No simulated provider answers at ${origin}. Start one: npm run start:simulator`, { cause: error });
  }
}
