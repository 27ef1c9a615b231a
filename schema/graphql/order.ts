import { badInput } from './bad-input.ts';
import { builder } from './builder.ts';

const OrderDirection = builder.enumType('OrderDirection', { values: ['ASC', 'DESC'] as const });
const TimeOrderField = builder.enumType('TimeOrderField', { values: ['OCCURRED_AT'] as const });

/** Order of lists out of the journal; the id breaks ties. */
export const OrderByTime = builder.inputType('TimeOrder', {
  fields: (t) => ({
    field: t.field({ type: TimeOrderField, required: true }),
    direction: t.field({ type: OrderDirection, required: true }),
  }),
});

/** @throws GraphQLError `BAD_USER_INPUT` where several orders are given. */
export function oldestFirst(orderBy: readonly { readonly direction: 'ASC' | 'DESC' }[] | null | undefined): boolean {
  if (orderBy == null || orderBy.length === 0) return false;
  if (orderBy.length > 1) throw badInput('Give one order.');
  return orderBy[0]?.direction === 'ASC';
}
