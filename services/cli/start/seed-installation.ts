import { RegistryError } from '../../registry/change.ts';
import type { DesiredState } from '../../registry/configuration/desired-state.ts';
import { seed } from '../../registry/seed.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Environment } from '../../runtime/environment.ts';
import { createDatabase } from '../../runtime/postgres.ts';
import type { Random } from '../../runtime/random.ts';
import { deriveSecrets, loadMasterKey } from '../../runtime/secrets.ts';
import { StartRefusal } from '../../runtime/start-refusal.ts';
import type { InstallationKeys } from './endpoints.ts';
import { simulatedProvider } from './simulated-provider.ts';

/** Brings the registry of an embedded installation to what its owners want, and answers with the keys for `endpoints.json`. */
export async function seedInstallation(options: {
  readonly environment: Environment;
  readonly clock: Clock;
  readonly random: Random;
  readonly databaseUrl: string;
  readonly simulatorUrl: string;
  readonly kept: InstallationKeys | null;
  /** What files and the environment want to exist. */
  readonly configured: readonly DesiredState[];
}): Promise<InstallationKeys> {
  const { environment, clock, random } = options;
  const masterKey = await loadMasterKey({ given: environment.masterKey, home: environment.home, random, mustBeGiven: false });
  const database = createDatabase({ url: options.databaseUrl, role: 'writer', applicationName: 'turnpike-start', poolSize: 1 });
  try {
    return await seed(database.db, {
      secrets: deriveSecrets(masterKey),
      clock,
      random,
      known: { adminKey: options.kept?.adminKey ?? null, demoKey: options.kept?.demoKey ?? null },
      desired: [...options.configured, await simulatedProvider(options.simulatorUrl)],
    });
  } catch (error) {
    // Such as two owners that want the same name: something a person wrote.
    if (error instanceof RegistryError) throw new StartRefusal(`The configuration cannot be applied: ${error.message}`, { cause: error });
    throw error;
  } finally {
    await database.close();
  }
}
