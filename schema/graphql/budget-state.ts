import type { BudgetKey, BudgetUnit as Unit } from '../values/budget.ts';
import { forecastExhaustion } from '../values/budget-forecast.ts';
import { BUDGET_STATUSES, budgetRemaining, budgetStatus } from '../values/budget-state.ts';
import { idFromUuid } from '../values/ids.ts';
import { badInput } from './bad-input.ts';
import { Budget, BudgetDimension, BudgetUnit, BudgetWindowType } from './budget.ts';
import { decimalOfBudget } from './budget-amount.ts';
import { builder } from './builder.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { BudgetStateFilter, BudgetStateRow } from './ports/budget-state-reads.ts';

const BudgetStatus = builder.enumType('BudgetStatus', {
  description:
    'The first of these that holds. SEALED: the window is over, the budget was reset or archived, or the limit is gone. RECONCILING: the database was restored and grants nothing until every proxy has told what it holds. OVER_LIMIT: more is settled and held than the limit allows, since it was lowered, a raise ended, or a provider billed above a hold. EXHAUSTED: all is spent. IN_FLIGHT: what is not spent is held, and some of it will come back. SCARCE: somebody came up short a moment ago. OPEN: there is room.',
  values: Object.fromEntries(BUDGET_STATUSES.map((status) => [status.toUpperCase(), { value: status }])),
});

interface GroupValue extends BudgetKey {
  readonly value: string | null;
}

export const BudgetGroupValue = builder.objectRef<GroupValue>('BudgetGroupValue').implement({
  description: 'What the requests of one group have in common.',
  fields: (t) => ({
    dimension: t.field({ type: BudgetDimension, resolve: ({ dimension }) => dimension }),
    tagKey: t.exposeString('tagKey', { nullable: true }),
    value: t.exposeString('value', {
      nullable: true,
      description: 'Null: they have none, which is a group too. Of an END_USER what stands for the name, which is not kept here.',
    }),
  }),
});

const amountOf = (name: 'amount' | 'settled' | 'held' | 'lost' | 'overrun') => (row: BudgetStateRow) =>
  decimalOfBudget(row.unit, row[name]);

export const BudgetState = builder.objectRef<BudgetStateRow>('BudgetState').implement({
  description:
    'One limit of a budget for one group, in one window: all figures of one moment, in the unit of the limit. settled + held stays within limit + overrun.',
  fields: (t) => ({
    id: t.id({
      description: 'Of limit, window and group together; a reset makes another.',
      resolve: ({ counterId }) => idFromUuid('counter', counterId),
    }),
    unit: t.field({ type: BudgetUnit, resolve: ({ unit }): Unit => unit }),
    window: t.field({ type: BudgetWindowType, resolve: ({ window }) => window }),
    group: t.field({
      type: [BudgetGroupValue],
      nullable: true,
      description:
        'In the order of `groupBy`. Null where the budget grouped by something else then, or where the values are too long to be kept.',
      resolve: groupOf,
    }),
    status: t.field({ type: BudgetStatus, resolve: (row) => budgetStatus(row) }),
    limit: t.field({ type: 'Decimal', description: 'With a raise that runs.', resolve: amountOf('amount') }),
    settled: t.field({
      type: 'Decimal',
      description: 'Booked in this window. Of a rolling one, without what has left it.',
      resolve: amountOf('settled'),
    }),
    held: t.field({
      type: 'Decimal',
      description:
        'Kept free for requests in flight and leased ahead by proxies, until it is settled or given back; idle room comes back within seconds where it is missed.',
      resolve: amountOf('held'),
    }),
    lost: t.field({
      type: 'Decimal',
      description: 'The part of `held` that no proxy can give back, since it is lost or cannot prove what it spent: a person releases it.',
      resolve: amountOf('lost'),
    }),
    overrun: t.field({ type: 'Decimal', description: 'Settled beyond what was held for it.', resolve: amountOf('overrun') }),
    remaining: t.field({
      type: 'Decimal',
      description: 'limit - settled - held, at least 0.',
      resolve: (row) => decimalOfBudget(row.unit, budgetRemaining(row)),
    }),
    startsAt: t.expose('startsAt', { type: 'DateTime', nullable: true }),
    resetsAt: t.expose('endsAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a calendar window ends, and all of it is free again. Null: a rolling one frees bit by bit, a lifetime never.',
    }),
    projectedExhaustionAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When the limit is used up if spending goes on at the average pace since its first use in this window. Null: not in this window, or too little is known.',
      resolve: exhaustionOf,
    }),
    asOf: t.expose('asOf', { type: 'DateTime', description: 'By the clock of the database, which windows follow.' }),
  }),
});

function exhaustionOf({ amount, settled, window, startsAt, endsAt, usedSince, isSealed, asOf }: BudgetStateRow): Date | null {
  if (isSealed || usedSince === null) return null;
  const since = startsAt !== null && startsAt > usedSince ? startsAt : usedSince;
  return forecastExhaustion({ amount, settled, since, endsAt, windowMs: window.kind === 'rolling' ? window.seconds * 1_000 : null }, asOf);
}

function groupOf({ groupBy, groupKey }: BudgetStateRow): GroupValue[] | null {
  if (groupKey === '') return groupBy.length === 0 ? [] : null;
  if (!groupKey.startsWith('[')) return null;
  const values: unknown = JSON.parse(groupKey);
  if (!Array.isArray(values) || values.length !== groupBy.length) return null;
  return groupBy.map((key, index) => {
    const value: unknown = values[index];
    return { ...key, value: typeof value === 'string' ? value : null };
  });
}

const BudgetStateConnection = builder.connectionObject({ type: BudgetState, name: 'BudgetStateConnection' });

builder.objectField(Budget, 'state', (t) =>
  t.loadable({
    type: BudgetStateConnection,
    description:
      'What is used of each limit, by group and then by limit. Limits of a budget without groups are always there; of one with groups, those groups that were used in this window.',
    byPath: true,
    args: {
      ...t.arg.connectionArgs(),
      at: t.arg({
        type: 'DateTime',
        description: 'In whose windows; now where it is left out. Counters of that time as they stand today.',
      }),
      group: t.arg({
        type: t.arg.listRef('String', { required: false }),
        description:
          'Only this group: its values in the order of `groupBy`, an END_USER by name, null for a value that its requests have not.',
      }),
      includeSealed: t.arg.boolean({
        required: true,
        defaultValue: false,
        description: 'Also what was counted before a reset, and limits that the budget no longer has.',
      }),
    },
    load: async (ids: string[], context, args) => {
      if (args.group != null && args.group.length > 4) throw badInput('A group has at most 4 values.');
      const filter: BudgetStateFilter = {
        at: args.at ?? null,
        includeSealed: args.includeSealed,
        group: args.group?.map((value) => value ?? null) ?? null,
      };
      const identity = listIdentity('state', filter);
      const request = parsePage(args, identity);
      const pages = await context.budgetStates.states(ids, request, filter);
      return pages.map((page) => connectionOf(page, request, identity, ({ groupKey, counterId }) => ({ sort: groupKey, id: counterId })));
    },
    resolve: (row) => row.id,
  }),
);
