import { mintId, uuidFromId } from '../../../schema/values/ids.ts';
import type { SpoolOptions } from '../../../services/eventlog/spool/open-spool.ts';
import type { Spool } from '../../../services/eventlog/spool.ts';
import type { PlannedHold, TakenHold } from '../../../services/proxy/budgets/budget-holds.ts';
import type { HoldBooks } from '../../../services/proxy/budgets/hold-books.ts';
import { createHoldBooks } from '../../../services/proxy/budgets/hold-books.ts';
import { createLeaseClock } from '../../../services/proxy/budgets/lease-clock.ts';
import type { LeaseDatabase } from '../../../services/proxy/budgets/lease-database.ts';
import type { LeaseNode, LeaseRefusal } from '../../../services/proxy/budgets/lease-node.ts';
import { createLeaseNode } from '../../../services/proxy/budgets/lease-node.ts';
import { createLeaseSums } from '../../../services/proxy/budgets/lease-sums.ts';
import { judgeBoots } from '../../../services/proxy/budgets/spool-remains.ts';
import type { Log } from '../../../services/runtime/log.ts';
import { createDice } from '../dice.ts';
import type { Life } from '../life.ts';
import type { Machine } from '../machine.ts';
import { EPOCH_MS } from '../machine-clock.ts';

export interface LeasingOptions {
  readonly life: Life;
  readonly machine: Machine;
  readonly log: Log;
  readonly durability: 'group' | 'strict';
  readonly database: (node: string, incarnation: string) => LeaseDatabase;
  /** Nobody else can have the folder: a boot waits for nobody's silence. */
  readonly soleMachine: boolean;
}

/** A proxy's leases, put together as its `main.ts` and `proxy.ts` do it. */
export interface Leasing {
  /** `nod_…`, the same over all boots of the machine's folder. */
  readonly node: string;
  /** The same, as the database has it. */
  readonly uuid: string;
  readonly spoolOptions: Pick<SpoolOptions, 'carried' | 'machineBoot'>;
  /** Once, with the spool that was opened with those options. */
  use(spool: Spool): HoldBooks;
  /** Before orphans are settled. */
  recovered(): void;
  /** After they are. */
  begin(): void;
  take(
    requestId: string,
    wanted: readonly PlannedHold[],
    onTaken: (holds: readonly TakenHold[] | null, refusal: LeaseRefusal | null) => void,
  ): void;
  release(requestId: string, holds: readonly TakenHold[]): void;
  stop(): Promise<void>;
}

const FIRST_LEASE_MS = 2_000;
const LEASE_WAIT_MS = 250;
const STOP_MS = 5_000;

export function openLeasing({ life, machine, log, durability, database, soleMachine }: LeasingOptions): Leasing {
  const node = mintId('node', EPOCH_MS - 1_000, createDice(Number(machine.name.split('-')[1])).bytes(10));
  const sums = createLeaseSums(node);
  const uuid = uuidFromId('node', node) ?? '';
  let leases: LeaseNode | null = null;
  let books: HoldBooks | null = null;
  let opened: Spool | null = null;
  return {
    node,
    uuid,
    spoolOptions: { carried: sums, machineBoot: machine.boot },
    use: (spool) => {
      opened = spool;
      const { epoch } = spool.state();
      const { torn, moved } = judgeBoots(spool.boots, { machineBoot: machine.boot, durability, soleMachine });
      for (const each of torn) sums.tear(each);
      const incarnation = life.random.bytes(16).toString('hex');
      leases = createLeaseNode({
        node: uuid,
        epoch,
        incarnation,
        finals: () => sums.finals(epoch),
        torn: sums.torn,
        closed: () => sums.closedOf(epoch),
        onClosed: (counters) => {
          for (const counter of counters) sums.close(counter, epoch);
          sums.prune(epoch, life.clock.now());
        },
        moved,
        database: database(uuid, incarnation),
        now: createLeaseClock(life.clock, life.clock.monotonic),
        timers: life.timers,
        newNonce: () => life.random.bytes(8).toString('hex'),
        claimNextEpoch: spool.claimNextEpoch,
        log,
        leaseWaitMs: LEASE_WAIT_MS,
        onExit: (cause) => life.die(`leases ${cause}`),
      });
      books = createHoldBooks({ leases, sums, spool, clock: life.clock });
      return books;
    },
    recovered: () => {
      sums.prune(opened?.state().epoch ?? 0, life.clock.now());
      opened?.carry();
    },
    begin: () => opened?.whenSynced(() => void leases?.begin(FIRST_LEASE_MS)),
    take: (requestId, wanted, onTaken) =>
      leases?.take(requestId, wanted, (taken, refusal) =>
        onTaken(taken === null ? null : wanted.map((hold, index) => ({ ...hold, counter: taken[index]?.counter ?? '' })), refusal),
      ),
    release: (requestId, holds) => books?.release(requestId, holds),
    stop: async () => leases?.stop(STOP_MS),
  };
}
