import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { Secrets } from '../runtime/secrets.ts';
import { StartRefusal } from '../runtime/start-refusal.ts';
import type { NewApiKey } from './api-keys.ts';
import { createApiKey } from './api-keys.ts';
import type { Change } from './change.ts';
import { applyStates } from './configuration/apply-states.ts';
import type { DesiredState } from './configuration/desired-state.ts';
import { createOrganization } from './organizations.ts';
import { ROOT_PERMISSIONS } from './root-permissions.ts';
import { INSTALLATION_ID } from './seed.ts';

export interface BootstrapOptions {
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly random: Random;
  readonly organization: { readonly slug: string; readonly name: string };
  /** What files and the environment want to exist from the first moment on. */
  readonly desired: readonly DesiredState[];
  /** Whether to make a key that may call the simulated provider and nothing else. */
  readonly demoKey: boolean;
}

export interface Bootstrapped {
  readonly organizationId: string;
  /** In plaintext, for the one moment in which it can be told. */
  readonly adminKey: string;
  readonly demoKey: string | null;
}

/** Arbitrary, and nobody else's: of two that bootstrap at once the second finds the work of the first. */
const ADVISORY_LOCK = 0x7475_726e_626f_6f74n;

/**
 * Makes the first organization of an empty installation and the key that administers it all, in one transaction.
 * @throws StartRefusal where there is an organization: whoever lost the admin key must not get another one this way.
 */
export function bootstrap(db: Kysely<Database>, options: BootstrapOptions): Promise<Bootstrapped> {
  const { secrets, organization } = options;
  return db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${ADVISORY_LOCK})`.execute(trx);
    const existing = await trx.selectFrom('organizations').select(['slug']).orderBy('created_at').limit(1).executeTakeFirst();
    if (existing !== undefined) {
      throw new StartRefusal(
        `This installation has its first organization, ${existing.slug}, and an admin key that was shown when it was made. ` +
          'More organizations and keys are made with that key, over GraphQL.',
      );
    }
    const above: Change = {
      trx,
      organizationId: INSTALLATION_ID,
      actor: { kind: 'system', id: 'bootstrap', name: 'turnpike bootstrap' },
      origin: { requestId: null, address: null, userAgent: null },
      clock: options.clock,
      random: options.random,
    };
    const { id } = (await createOrganization(above, organization)).organization;
    const change: Change = { ...above, organizationId: id };
    await applyStates(change, options.desired, secrets);
    const make = async (key: Pick<NewApiKey, 'name' | 'kind' | 'environment' | 'permissions' | 'allowedModels'>): Promise<string> =>
      (await createApiKey(change, { ...key, teamId: null, tags: {}, metadata: {}, expiresAt: null }, secrets)).secret;
    return {
      organizationId: idFromUuid('organization', id),
      adminKey: await make({
        name: 'Administrator',
        kind: 'adm',
        environment: 'live',
        permissions: ROOT_PERMISSIONS,
        allowedModels: null,
      }),
      demoKey: options.demoKey
        ? await make({ name: 'Demo', kind: 'ak', environment: 'test', permissions: [], allowedModels: ['sim/*'] })
        : null,
    };
  });
}
