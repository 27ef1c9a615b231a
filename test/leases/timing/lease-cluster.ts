import type { LeaseNode, LeaseRefusal } from '../../../services/proxy/budgets/lease-node.ts';
import { createLeaseNode } from '../../../services/proxy/budgets/lease-node.ts';
import { recordingLog } from '../../harness/recording-log.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { createVirtualTime } from '../../harness/virtual-time.ts';
import { createLimit } from '../mirror/limits.ts';
import { createMirroredLeaseDatabase } from '../mirror/mirrored-lease-database.ts';
import { emptyDatabase, type LeaseDatabase } from '../mirror/tables.ts';

const limitName = 'l';

/** One hold of a request that was admitted. */
export interface Admitted {
  /** Ends the call; `cost` comes to be settled. Its record is synced within 5 ms. */
  readonly settle: (cost: bigint) => void;
}

export interface ClusterNode {
  /** Whether nothing it says reaches the database any more. */
  cutOff(isCutOff: boolean): void;
  /** Told when the answer is there: in the same turn, or within the wait for an ask. */
  take(amount: bigint, onTaken: (admitted: Admitted | null, refusal: LeaseRefusal | null) => void): void;
}

/** Several processes with the product's own rim and protocol, over one mirror of the SQL, in a time that passes only when it is told to. */
export interface LeaseCluster {
  readonly tables: LeaseDatabase;
  readonly nodes: readonly ClusterNode[];
  /** Milliseconds since all nodes began. */
  readonly now: () => number;
  readonly after: (delayMs: number, run: () => void) => void;
  readonly advance: (byMs: number) => Promise<void>;
}

export interface ClusterOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly limit: bigint;
  /** Longest way of a statement to the database; that of its answer back is as long at most. */
  readonly wayMs: number;
}

const BEGAN_AT = 1_000_000;
const LONGEST_SYNC_MS = 5;

/** All nodes have registered and beaten when it resolves, at moments of their own within a second. */
export async function startLeaseCluster({ seed, nodes, limit, wayMs }: ClusterOptions): Promise<LeaseCluster> {
  const dice = seededRandom(seed);
  const time = createVirtualTime(BEGAN_AT);
  const { timers } = time;
  const tables = emptyDatabase({ now: BEGAN_AT });
  createLimit(tables, limitName, limit);
  const later = (mostMs: number): Promise<void> => new Promise((resolve) => void timers.after(dice.fraction() * mostMs, resolve));

  const cutOff = new Set<string>();
  const run = async <Result>(node: string, act: (tables: LeaseDatabase) => Result): Promise<Result> => {
    await later(wayMs);
    if (cutOff.has(node)) throw new Error('cut off');
    tables.now = time.clock.now();
    const answer = act(tables);
    await later(wayMs);
    return answer;
  };

  const startNode = (name: string): LeaseNode => {
    // Clocks of several machines have nothing in common.
    const origin = dice.fraction() * 1e9;
    let beats = 0;
    return createLeaseNode({
      node: name,
      epoch: 1,
      incarnation: name,
      finals: () => [],
      torn: () => [],
      closed: () => [],
      onClosed: () => {},
      moved: false,
      leaseWaitMs: 250,
      database: createMirroredLeaseDatabase({
        node: name,
        incarnation: name,
        run: (_, act) => run(name, act),
        nameOf: (id) => id,
        idOf: (counter) => counter,
      }),
      now: () => origin + time.clock.monotonic(),
      timers,
      newNonce: () => `${name} ${beats++}`,
      claimNextEpoch: async () => 2,
      log: recordingLog(),
      onExit: (cause) => {
        throw new Error(`${name} is ${cause}`);
      },
    });
  };

  let requests = 0;
  const clusterNode = (name: string, leases: LeaseNode): ClusterNode => ({
    cutOff: (isCutOff) => {
      if (isCutOff) cutOff.add(name);
      else cutOff.delete(name);
    },
    take: (amount, onTaken) => {
      const request = `${++requests}`;
      leases.take(request, [{ limit: limitName, group: '', amount }], (holds, refusal) => {
        const counter = holds?.[0]?.counter;
        if (counter === undefined) return onTaken(null, refusal);
        const settle = (cost: bigint): void => {
          const { settlement } = leases.settle(request, new Map([[counter, cost]]));
          timers.after(dice.fraction() * LONGEST_SYNC_MS, () => leases.synced(settlement));
        };
        return onTaken({ settle }, null);
      });
    },
  });

  const made = Array.from({ length: nodes }, (_, index) => {
    const leases = startNode(`n${index}`);
    timers.after(dice.fraction() * 1_000, () => void leases.begin(0));
    return clusterNode(`n${index}`, leases);
  });
  await time.advance(1_000 + 4 * wayMs);
  return {
    tables,
    nodes: made,
    now: () => time.clock.monotonic(),
    after: (delayMs, act) => void timers.after(delayMs, act),
    advance: time.advance,
  };
}
