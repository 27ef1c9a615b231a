import type { Kysely } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import type { Change } from '../../services/registry/change.ts';
import { createOrganization } from '../../services/registry/organizations.ts';
import { INSTALLATION_ID } from '../../services/registry/seed.ts';
import { systemClock } from '../../services/runtime/clock.ts';
import { systemRandom } from '../../services/runtime/random.ts';
import { deriveSecrets } from '../../services/runtime/secrets.ts';

/** Secrets of an installation that exists only in a test. */
export const testSecrets = deriveSecrets(Buffer.alloc(32, 7));

/** Runs registry writes of one organization in a transaction, as a process does. */
export function changeOf<Result>(
  db: Kysely<Database>,
  organizationId: string,
  write: (change: Change) => Promise<Result>,
): Promise<Result> {
  return db.transaction().execute((trx) =>
    write({
      trx,
      organizationId,
      actor: { kind: 'system', id: 'test', name: 'test' },
      origin: { requestId: null, address: null, userAgent: null },
      clock: systemClock,
      random: systemRandom,
    }),
  );
}

/** A new organization; returns its uuid. */
export async function makeOrganization(db: Kysely<Database>, slug: string): Promise<string> {
  const { organization } = await changeOf(db, INSTALLATION_ID, (change) => createOrganization(change, { slug, name: slug }));
  return organization.id;
}
