import { createHash } from 'node:crypto';
import type { LeaseDatabase } from '../../../services/proxy/budgets/lease-database.ts';
import { createMirroredLeaseDatabase } from '../../leases/mirror/mirrored-lease-database.ts';
import type { SessionPool } from '../store/session-pool.ts';
import type { SimulatedPostgres } from '../store/simulated-postgres.ts';

/** A counter of the mirror as events name it. */
function counterUuid(name: string): string {
  const hash = createHash('sha256').update(name).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

/** One node's side of the mirror of the SQL, over sessions of a simulated server: each call is one statement, with all that befalls statements. */
export function createSimulatedLeaseDatabase(
  server: SimulatedPostgres,
  pool: SessionPool,
  node: string,
  incarnation: string,
): LeaseDatabase {
  const { leases: tables, counterNames } = server.books;
  return createMirroredLeaseDatabase({
    node,
    incarnation,
    run: (statement, act) =>
      pool.use((session) =>
        pool.wire(statement, () =>
          session.run(statement, () => {
            server.tellLeasesTheTime();
            return act(tables);
          }),
        ),
      ),
    nameOf: (uuid) => counterNames.get(uuid) ?? uuid,
    idOf: (name) => {
      const uuid = counterUuid(name);
      counterNames.set(uuid, name);
      return uuid;
    },
  });
}
