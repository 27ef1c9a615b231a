import { proveBooks } from '../../leases/mirror/books.ts';
import { limitRow, nodeRow } from '../../leases/mirror/rows.ts';
import type { LeaseDatabase } from '../../leases/mirror/tables.ts';
import { counterView } from '../../leases/mirror/view.ts';
import type { Model, TrueRequest } from '../model.ts';
import type { Verdict } from './verdict.ts';

/** Holds budgets against what the provider really billed. */
export interface LeaseChecker {
  /** Of the tables, after each statement that writes them. */
  look(): void;
  /** Of the truth: a provider is called for a request that holds this. */
  called(request: TrueRequest): void;
  /** A process of this epoch of a node let a request through. */
  admittedBy(node: string, epoch: number): void;
  /** Somebody was told that a limit is used up for good. */
  refusedForGood(limit: string, hold: bigint): void;
  /** Once all has healed and come to rest. */
  settle(): void;
  /** What is held and not called lost, of all counters. */
  stillHeld(): bigint;
}

type Spent = { certain: bigint; readonly requests: TrueRequest[] };

export function createLeaseChecker(tables: LeaseDatabase, model: Model, verdict: Verdict): LeaseChecker {
  /** By counter: what the provider bills of it, whatever becomes of who asked. */
  const spent = new Map<string, Spent>();

  const spentOf = (counter: string): Spent => {
    const known = spent.get(counter) ?? { certain: 0n, requests: [] };
    spent.set(counter, known);
    return known;
  };
  /** Above its hold a call may cost what nobody could know. */
  const within = (bill: bigint, hold: bigint): bigint => (bill < hold ? bill : hold);
  const amountOf = (counter: string): bigint | null => {
    const row = tables.budget_counters.find((each) => each.counter === counter);
    return row === undefined ? null : (limitRow(tables, row.limit)?.amount ?? null);
  };

  return {
    look() {
      for (const wrong of proveBooks(tables)) verdict.breach('settled and held are committed and overrun', wrong);
    },
    called(request) {
      for (const { counter, hold, bill } of request.held) {
        const known = spentOf(counter);
        known.certain += within(bill, hold);
        known.requests.push(request);
        const amount = amountOf(counter);
        if (amount !== null && known.certain > amount)
          verdict.breach('no budget is overspent', `${counter}: the provider bills ${known.certain} within holds, the limit is ${amount}`);
      }
    },
    admittedBy(node, epoch) {
      const row = nodeRow(tables, node);
      if (row !== null && row.epoch > epoch)
        verdict.breach('who has been replaced admits nothing', `${node}: epoch ${epoch} admitted a request, ${row.epoch} has registered`);
    },
    refusedForGood(limit, hold) {
      const row = limitRow(tables, limit);
      const room = tables.budget_counters
        .filter((counter) => counter.limit === limit)
        .map((counter) => (row?.amount ?? 0n) - counterView(tables, counter).settled);
      if (room.length > 0 && room.every((left) => left >= hold))
        verdict.breach('nobody is refused for good who would fit', `${limit}: ${hold} was refused, ${room} are not settled`);
    },
    settle() {
      for (const counter of tables.budget_counters) {
        const { held, lost, overrun, settled } = counterView(tables, counter);
        const requests = spent.get(counter.counter)?.requests ?? [];
        const amount = amountOf(counter.counter) ?? 0n;
        let billed = 0n;
        for (const request of requests) {
          const { bill = 0n, hold = 0n } = request.held.find((each) => each.counter === counter.counter) ?? {};
          // Who died with a call that cost more than its hold reports nothing: nobody else heard of it.
          billed += request.orphaned || request.lost || request.lied ? within(bill, hold) : bill;
        }
        if (billed > amount + overrun)
          verdict.breach('the provider bills the limit and the overruns', `${counter.counter}: ${billed} of ${amount}, overrun ${overrun}`);
        if (billed > settled + lost)
          verdict.breach(
            'what the provider bills is settled or lost',
            `${counter.counter}: ${billed} billed, ${settled} settled, ${lost} lost`,
          );
        if (held !== lost) verdict.breach('nothing is held at rest but what is lost', `${counter.counter}: ${held} held, ${lost} lost`);
        if (
          lost > 0n &&
          ![...model.requests.values()].some(({ lost: torn, lied }) => torn || lied) &&
          !tables.leases.some(({ unproven }) => unproven > 0n)
        )
          verdict.breach('nothing is held at rest but what is lost', `${counter.counter}: ${lost} is lost, and no spool was torn`);
      }
    },
    stillHeld: () =>
      tables.budget_counters.reduce((sum, counter) => {
        const { held, lost } = counterView(tables, counter);
        return sum + held - lost;
      }, 0n),
  };
}
