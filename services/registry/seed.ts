import type { Kysely, Transaction } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import type { AuditActor } from '../journal/append-audit.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { Secrets } from '../runtime/secrets.ts';
import { findPrincipal } from './admin-access.ts';
import type { NewApiKey } from './api-keys.ts';
import { createApiKey, replaceSecret } from './api-keys.ts';
import type { Change } from './change.ts';
import { applyStates } from './configuration/apply-states.ts';
import type { DesiredState } from './configuration/desired-state.ts';
import { createOrganization } from './organizations.ts';
import { ROOT_PERMISSIONS } from './root-permissions.ts';

/** The log of acts above organizations, such as creating one, is that of the nil UUID (DESIGN.md, "The ledger"). */
export const INSTALLATION_ID = '00000000-0000-0000-0000-000000000000';

const SEED: AuditActor = { kind: 'system', id: 'seed', name: 'first start' };
const NO_ORIGIN = { requestId: null, address: null, userAgent: null };

export interface SeedOptions {
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly random: Random;
  /** What an earlier start wrote down; a key that is null or no longer valid is made or rotated. */
  readonly known: { readonly adminKey: string | null; readonly demoKey: string | null };
  /** What each owner wants, in order of precedence: a file's objects before the environment's. */
  readonly desired: readonly DesiredState[];
}

/**
 * Brings the registry of an embedded installation to where `npm start` needs it: the default organization, an admin key,
 * a demo key that may call the simulated provider only, and every owner's providers, models and keys. One transaction; run
 * again it writes only what differs.
 * @returns the two keys in plaintext, for `endpoints.json`.
 */
export function seed(db: Kysely<Database>, options: SeedOptions): Promise<{ adminKey: string; demoKey: string }> {
  return db.transaction().execute(async (trx) => {
    const change: Change = {
      trx,
      organizationId: await defaultOrganization(trx, options),
      actor: SEED,
      origin: NO_ORIGIN,
      clock: options.clock,
      random: options.random,
    };
    await applyStates(change, options.desired, options.secrets);
    return {
      adminKey: await ensureKey(change, options, options.known.adminKey, {
        name: 'Administrator',
        kind: 'adm',
        permissions: ROOT_PERMISSIONS,
        allowedModels: null,
      }),
      demoKey: await ensureKey(change, options, options.known.demoKey, {
        name: 'Demo',
        kind: 'ak',
        permissions: [],
        allowedModels: ['sim/*'],
      }),
    };
  });
}

async function defaultOrganization(trx: Transaction<Database>, options: SeedOptions): Promise<string> {
  const kept = await trx.selectFrom('organizations').select('id').where('slug', '=', 'default').executeTakeFirst();
  if (kept !== undefined) return kept.id;
  const change: Change = {
    trx,
    organizationId: INSTALLATION_ID,
    actor: SEED,
    origin: NO_ORIGIN,
    clock: options.clock,
    random: options.random,
  };
  return (await createOrganization(change, { slug: 'default', name: 'Default organization' })).organization.id;
}

/**
 * Keeps a known key that still works; else rotates the seeded key, since nobody can know its secret; else, also where somebody
 * disabled it or its time is up, makes it.
 */
async function ensureKey(
  change: Change,
  options: SeedOptions,
  known: string | null,
  wanted: Pick<NewApiKey, 'name' | 'kind' | 'permissions' | 'allowedModels'>,
): Promise<string> {
  if (known !== null) {
    const principal = await findPrincipal(change.trx, known, options.secrets, options.clock.now());
    if (principal.kind === 'known' && principal.organizationId === change.organizationId && principal.keyKind === wanted.kind) return known;
  }
  const kept = await change.trx
    .selectFrom('api_keys')
    .selectAll()
    .where('organization_id', '=', change.organizationId)
    .where('kind', '=', wanted.kind)
    .where('name', '=', wanted.name)
    .where('managed_by', 'is', null)
    .where('revoked_at', 'is', null)
    .where('disabled_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', new Date(options.clock.now()))]))
    .orderBy('created_at')
    .limit(1)
    .forUpdate()
    .executeTakeFirst();
  if (kept !== undefined) return replaceSecret(change, kept, options.secrets);
  const settings = { teamId: null, tags: {}, metadata: {}, expiresAt: null, environment: wanted.kind === 'adm' ? 'live' : 'test' } as const;
  return (await createApiKey(change, { ...wanted, ...settings }, options.secrets)).secret;
}
