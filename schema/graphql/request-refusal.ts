import type { RequestSettled } from '../events/request-settled.v1.ts';
import { isUuid, uuidFromId } from '../values/ids.ts';
import { Budget, BudgetWindowType } from './budget.ts';
import { decimalOfBudget } from './budget-amount.ts';
import { builder } from './builder.ts';
import type { LeaseReads, LimitRow } from './ports/lease-reads.ts';
import { RateLimit, RateLimitUnit } from './rate-limit.ts';
import { readable } from './readable.ts';

/** As an event tells it: ids as text, amounts in the unit of the limit. */
type ToldRefusal = NonNullable<RequestSettled['refusedBy']>;

/** With its limit; null where an old backup has forgotten that, and where the request was refused for want of a price. */
interface RequestRefusalRow {
  readonly told: ToldRefusal;
  readonly limit: LimitRow | null;
}

const seenAmount =
  (name: 'needed' | 'amount' | 'settled' | 'held') =>
  ({ told, limit }: RequestRefusalRow): bigint | null => {
    const amount = told[name];
    return amount === null || limit === null ? null : decimalOfBudget(limit.unit, amount);
  };

export const RequestRefusal = builder.objectRef<RequestRefusalRow>('RequestRefusal').implement({
  description: 'The budget or rate limit that refused a request, and what its proxy knew of the limit then, in the unit of the limit.',
  fields: (t) => ({
    refusedById: t.id({ description: 'Of the budget or rate limit.', resolve: ({ told }) => told.budget }),
    budget: t.field({
      type: Budget,
      nullable: true,
      description: 'Null where it is a rate limit; also for who may not read budgets.',
      resolve: ({ told }, _args, context) => readable(context, 'Budget', uuidFromId('budget', told.budget)),
    }),
    rateLimit: t.field({
      type: RateLimit,
      nullable: true,
      description: 'Null where it is a budget; also for who may not read rate limits.',
      resolve: ({ told }, _args, context) => readable(context, 'RateLimit', uuidFromId('rateLimit', told.budget)),
    }),
    unit: t.field({
      type: RateLimitUnit,
      nullable: true,
      description: 'Of the limit; null where it is not known.',
      resolve: ({ limit }) => limit?.unit,
    }),
    window: t.field({
      type: BudgetWindowType,
      nullable: true,
      description: 'Of the limit; null where it is not known, and where the limit is of what runs at once.',
      resolve: ({ limit }) => limit?.window,
    }),
    needed: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'The most that the request could have used; null where it was refused for want of a price.',
      resolve: seenAmount('needed'),
    }),
    limit: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'What there was in all. Null, as the next two, where the database did not say.',
      resolve: seenAmount('amount'),
    }),
    settled: t.field({ type: 'Decimal', nullable: true, description: 'What of it was booked.', resolve: seenAmount('settled') }),
    held: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'What was held beside it, for requests in flight and leased ahead by proxies; null where only what is booked counts.',
      resolve: seenAmount('held'),
    }),
  }),
});

/** Who refused each of the events, and who would have if it did more than audit. */
export async function refusalsOf(
  leases: Pick<LeaseReads, 'limitsById'>,
  events: readonly RequestSettled[],
): Promise<{ readonly refusedBy: RequestRefusalRow | null; readonly wouldRefuse: RequestRefusalRow[] }[]> {
  const told = events.map(({ refusedBy, wouldRefuse = [] }) => ({
    refusedBy: refusedBy ?? null,
    wouldRefuse: wouldRefuse.map((each) => ({ ...each, held: null })),
  }));
  const named = told.flatMap(({ refusedBy, wouldRefuse }) => [refusedBy, ...wouldRefuse].flatMap((each) => each?.limit ?? []));
  const ids = new Set(named.filter(isUuid));
  const limits: ReadonlyMap<string, LimitRow> = ids.size === 0 ? new Map() : await leases.limitsById([...ids]);
  const rowOf = (each: ToldRefusal): RequestRefusalRow => ({ told: each, limit: limits.get(each.limit) ?? null });
  return told.map(({ refusedBy, wouldRefuse }) => ({
    refusedBy: refusedBy === null ? null : rowOf(refusedBy),
    wouldRefuse: wouldRefuse.map(rowOf),
  }));
}
