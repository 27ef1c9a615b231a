import type { LeaseDatabase as ProductLeaseDatabase } from '../../../services/proxy/budgets/lease-database.ts';
import { lease_report } from './generation.ts';
import { lease_ask } from './lease-ask.ts';
import { lease_close } from './lease-close.ts';
import { lease_beat, lease_register } from './lease-node.ts';
import { lease_return } from './lease-return.ts';
import type { LeaseDatabase } from './tables.ts';

export type LeaseStatement =
  | 'lease_ask'
  | 'lease_return'
  | 'lease_beat'
  | 'lease_register'
  | 'lease_close'
  | 'lease_report'
  | 'lease_tell_open';

export interface MirroredLeaseDatabaseOptions {
  readonly node: string;
  readonly incarnation: string;
  /** Runs one statement, with all that befalls statements on their way. */
  readonly run: <Result>(statement: LeaseStatement, act: (tables: LeaseDatabase) => Result) => Promise<Result>;
  /** The mirror's name of a counter, by the id that the process knows it by. */
  readonly nameOf: (id: string) => string;
  readonly idOf: (name: string) => string;
}

/** The product's port to the database of one node, with the mirror of the SQL behind it. */
export function createMirroredLeaseDatabase({ node, incarnation, run, nameOf, idOf }: MirroredLeaseDatabaseOptions): ProductLeaseDatabase {
  const named = <Item extends { readonly counter: string }>(items: readonly Item[]): Item[] =>
    items.map((item) => ({ ...item, counter: nameOf(item.counter) }));
  const identified = <Item extends { readonly counter: string }>(items: readonly Item[]): Item[] =>
    items.map((item) => ({ ...item, counter: idOf(item.counter) }));

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
            const counter = item.counter === null ? null : idOf(item.counter);
            return { ...item, counter, endsInMs, opensInMs, place: null };
          }),
        };
      }),
    giveBack: ({ epoch, items }) =>
      run('lease_return', (db) => {
        const { status, generation, items: told } = lease_return(db, { node, epoch, items: named(items) });
        return { generation, reconciling: status === 'reconciling', items: identified(told) };
      }),
    beat: ({ epoch, generation, beat, nonce, returned }) =>
      run('lease_beat', (db) => {
        const answer = lease_beat(db, { node, epoch, incarnation, generation, beat, nonce, returned: named(returned) });
        return { ...answer, leases: identified(answer.leases) };
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
