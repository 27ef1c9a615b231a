import type { RequestSettled } from '../events/request-settled.v1.ts';
import { idFromUuid, isUuid } from '../values/ids.ts';
import { Budget } from './budget.ts';
import { decimalOfBudget } from './budget-amount.ts';
import { builder } from './builder.ts';
import type { LeaseReads, LimitRow } from './ports/lease-reads.ts';
import { RateLimit, RateLimitUnit } from './rate-limit.ts';
import { readable } from './readable.ts';

/** What a request held of one limit, and what became of it. */
interface RequestHoldRow {
  readonly counterId: string;
  readonly limit: LimitRow;
  readonly hold: bigint;
  readonly debit: bigint;
  readonly cost: bigint;
  readonly isOrphan: boolean;
  readonly cause: string;
}

/** Holds that are over, and why. */
interface EndedHolds extends Pick<RequestSettled, 'holds'> {
  readonly isOrphan: boolean;
  readonly cause: string;
}

const HoldState = builder.enumType('HoldState', {
  description:
    'HELD: its request is in flight. SETTLED: it became what was used. RELEASED: nothing was used, so all of it went back. ORPHANED: its proxy died, or its record could not be booked and was discarded; what was used is not known, and all that was debited counts.',
  values: ['HELD', 'SETTLED', 'RELEASED', 'ORPHANED'] as const,
});

const holdAmount = (name: 'hold' | 'debit' | 'cost') => (row: RequestHoldRow) => decimalOfBudget(row.limit.unit, row[name]);

export const RequestHold = builder.objectRef<RequestHoldRow>('RequestHold').implement({
  description: 'What a request held of one limit of a budget or of a rate limit, in the unit of the limit.',
  fields: (t) => ({
    budget: t.field({
      type: Budget,
      nullable: true,
      description: 'Null where it is a rate limit; also for who may not read budgets.',
      resolve: ({ limit }, _args, context) => readable(context, 'Budget', limit.budgetId),
    }),
    rateLimit: t.field({
      type: RateLimit,
      nullable: true,
      description: 'Null where it is a budget; also for who may not read rate limits.',
      resolve: ({ limit }, _args, context) => readable(context, 'RateLimit', limit.rateLimitId),
    }),
    stateId: t.id({
      nullable: true,
      description: 'Of the `BudgetState` it counted in; null where it is a rate limit.',
      resolve: ({ counterId, limit }) => (limit.budgetId === null ? null : idFromUuid('counter', counterId)),
    }),
    unit: t.field({ type: RateLimitUnit, resolve: ({ limit }) => limit.unit }),
    state: t.field({
      type: HoldState,
      resolve: ({ debit, cost, isOrphan }) => {
        if (isOrphan) return 'ORPHANED' as const;
        return debit === 0n && cost === 0n ? ('RELEASED' as const) : ('SETTLED' as const);
      },
    }),
    held: t.field({ type: 'Decimal', description: 'The most that the request could use.', resolve: holdAmount('hold') }),
    debit: t.field({ type: 'Decimal', description: 'What of its use was held for it.', resolve: holdAmount('debit') }),
    cost: t.field({
      type: 'Decimal',
      description: 'What it used, as its proxy knew; the ledger rates it again.',
      resolve: holdAmount('cost'),
    }),
    cause: t.exposeString('cause', {
      description:
        'Why it ended so: the outcome of its request, with the error code where there is one (`succeeded`, `failed upstream_timeout`, `orphaned`), or `discarded` where its record could not be booked and somebody put it aside.',
    }),
    isOverrun: t.boolean({ description: 'It used more than was held for it.', resolve: ({ debit, cost }) => cost > debit }),
  }),
});

/** Why the holds of a booked request ended as they did. */
export function endedHolds({ holds, outcome, errorCode }: RequestSettled): EndedHolds {
  return { holds, isOrphan: outcome === 'orphaned', cause: errorCode === null ? outcome : `${outcome} ${errorCode}` };
}

/** Of counters that are known: an old backup may have forgotten some, and a purge removes those of short windows. */
export async function holdsOf(leases: Pick<LeaseReads, 'limitsOfCounters'>, ended: readonly EndedHolds[]): Promise<RequestHoldRow[][]> {
  const counters = new Set(ended.flatMap(({ holds }) => holds.map(({ counter }) => counter)).filter(isUuid));
  const limits: ReadonlyMap<string, LimitRow> = counters.size === 0 ? new Map() : await leases.limitsOfCounters([...counters]);
  return ended.map(({ holds, isOrphan, cause }) =>
    holds.flatMap(({ counter, hold, debit, cost }) => {
      const limit = limits.get(counter);
      if (limit === undefined) return [];
      return [{ counterId: counter, limit, hold: BigInt(hold), debit: BigInt(debit), cost: BigInt(cost), isOrphan, cause }];
    }),
  );
}
