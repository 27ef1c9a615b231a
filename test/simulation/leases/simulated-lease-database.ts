import { createHash } from 'node:crypto';
import type { LeaseDatabase } from '../../../services/proxy/budgets/lease-database.ts';
import { lease_report } from '../../leases/mirror/generation.ts';
import { lease_ask } from '../../leases/mirror/lease-ask.ts';
import { lease_close } from '../../leases/mirror/lease-close.ts';
import { lease_beat, lease_register } from '../../leases/mirror/lease-node.ts';
import { lease_return } from '../../leases/mirror/lease-return.ts';
import type { LeaseDatabase as LeaseTables } from '../../leases/mirror/tables.ts';
import type { SessionPool } from '../store/session-pool.ts';
import type { SimulatedPostgres } from '../store/simulated-postgres.ts';
import type { StoreStatement } from '../store/store-faults.ts';

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
  const run = <Result>(statement: StoreStatement, act: (tables: LeaseTables) => Result): Promise<Result> =>
    pool.use((session) =>
      pool.wire(statement, () =>
        session.run(statement, () => {
          server.tellLeasesTheTime();
          return act(tables);
        }),
      ),
    );
  const nameOf = (uuid: string): string => counterNames.get(uuid) ?? uuid;
  const uuidOf = (name: string): string => {
    const uuid = counterUuid(name);
    counterNames.set(uuid, name);
    return uuid;
  };
  const named = <Item extends { readonly counter: string }>(items: readonly Item[]): Item[] =>
    items.map((item) => ({ ...item, counter: nameOf(item.counter) }));

  return {
    ask: (effect) =>
      run('lease_ask', (db) => {
        const items = effect.items.map((item) => ({ ...item, counter: item.counter === null ? null : nameOf(item.counter) }));
        const { epoch, generation, live, all } = effect;
        const answer = lease_ask(db, { node, epoch, generation, items, live, all });
        return {
          status: answer.status,
          generation: answer.generation,
          items: answer.items.map(({ ends_in_ms: endsInMs, opens_in_ms: opensInMs, ...item }) => {
            const counter = item.counter === null ? null : uuidOf(item.counter);
            return { ...item, counter, endsInMs, opensInMs, place: null };
          }),
        };
      }),
    giveBack: ({ epoch, items }) =>
      run('lease_return', (db) => {
        const { status, generation, items: told } = lease_return(db, { node, epoch, items: named(items) });
        return {
          generation,
          reconciling: status === 'reconciling',
          items: told.map((item) => ({ ...item, counter: uuidOf(item.counter) })),
        };
      }),
    beat: ({ epoch, generation, beat, nonce, returned }) =>
      run('lease_beat', (db) => {
        const answer = lease_beat(db, { node, epoch, incarnation, generation, beat, nonce, returned: named(returned) });
        return { ...answer, leases: answer.leases.map((lease) => ({ ...lease, counter: uuidOf(lease.counter) })) };
      }),
    register: ({ epoch, finals, torn, moved }) =>
      run('lease_register', (db) => {
        const { wait_ms: waitMs, ...answer } = lease_register(db, { node, epoch, incarnation, finals: named(finals), torn, moved });
        return { ...answer, waitMs };
      }),
    close: (epoch, finals) =>
      run('lease_close', (db) => {
        const { outcomes } = lease_close(db, { node, epoch, items: named(finals) });
        return finals.filter((_, index) => outcomes[index] === 'closed' || outcomes[index] === 'gone').map(({ counter }) => counter);
      }),
    // For people to look at: nothing is decided by it, and the mirror has no table for it.
    tellOpen: () => run('lease_tell_open', () => {}),
    report: ({ epoch, generation, beat, leases, torn }) =>
      run('lease_report', (db) => lease_report(db, { node, epoch, incarnation, generation, beat, leases: named(leases), torn })),
  };
}
