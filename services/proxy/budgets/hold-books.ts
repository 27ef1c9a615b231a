import type { RequestSettled } from '../../../schema/events/request-settled.v1.ts';
import type { Spool } from '../../eventlog/spool.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { SettledHold } from '../admission/leases/lease-effects.ts';
import type { Ending } from '../settlement/settle.ts';
import type { TakenHold } from './budget-holds.ts';
import { holdCosts } from './hold-costs.ts';
import type { LeaseNode } from './lease-node.ts';
import type { LeaseSums } from './lease-sums.ts';

/** Holds on their way into the books. */
export interface HoldBooks {
  /** Settles the holds of a request. `written` is to be called as soon as the spool has taken the event with them. */
  settle(requestId: string, holds: readonly TakenHold[], ending: Ending): { readonly holds: RequestSettled['holds']; written(): void };
  /** Gives back what a request holds that was certainly never sent and has no record in the spool. */
  release(requestId: string, holds: readonly TakenHold[]): void;
  /** Counts an orphan that the spool has closed. */
  orphaned(event: RequestSettled): void;
}

export function createHoldBooks(options: {
  readonly leases: Pick<LeaseNode, 'settle' | 'synced'>;
  readonly sums: Pick<LeaseSums, 'add' | 'orphaned'>;
  readonly spool: Pick<Spool, 'state' | 'whenSynced'>;
  readonly clock: Clock;
}): HoldBooks {
  const { leases, sums, spool, clock } = options;
  const { epoch } = spool.state();
  return {
    settle: (requestId, holds, ending) => {
      const { holds: settled, settlement } = leases.settle(requestId, holdCosts(holds, ending));
      return {
        holds: printed(settled),
        written: () => {
          const nowMs = clock.now();
          for (const { counter, debit } of settled) sums.add(counter, epoch, debit, nowMs);
          // Before that a power cut would bring the hold back: its room is not to be given away.
          spool.whenSynced(() => leases.synced(settlement));
        },
      };
    },
    release: (requestId, holds) => {
      const { settlement } = leases.settle(requestId, new Map(holds.map(({ counter }) => [counter, 0n])));
      // There is nothing of it to be synced, but of settlements before it there may be.
      spool.whenSynced(() => leases.synced(settlement));
    },
    orphaned: (event) => sums.orphaned(event, clock.now()),
  };
}

/** As events carry them. One request's amounts are few, whatever the number of its budgets: the same as just before is not printed again. */
function printed(holds: readonly SettledHold[]): RequestSettled['holds'] {
  let last = { hold: -1n, holdText: '', cost: -1n, costText: '' };
  return holds.map(({ counter, hold, debit, cost }) => {
    const holdText = hold === last.hold ? last.holdText : hold.toString();
    const costText = cost === last.cost ? last.costText : cost.toString();
    last = { hold, holdText, cost, costText };
    return { counter, hold: holdText, debit: debit === cost ? costText : debit === hold ? holdText : debit.toString(), cost: costText };
  });
}
