import type { BudgetCondition, BudgetDefinition, BudgetKey, BudgetLimit, BudgetWindow } from '../values/budget.ts';
import { BUDGET_DIMENSIONS, BUDGET_ENFORCEMENTS, BUDGET_UNITS, CALENDAR_WINDOWS, UNPRICED_POLICIES } from '../values/budget.ts';
import { parseUsd } from '../values/money.ts';
import { decimalOfBudget } from './budget-amount.ts';
import { builder } from './builder.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { BudgetRow } from './ports/budgets.ts';
import { Versioned } from './versioned.ts';

export const upperCase = <Value extends string>(values: readonly Value[]): Record<string, { value: Value }> =>
  Object.fromEntries(values.map((value) => [value.toUpperCase(), { value }]));

export const BudgetDimension = builder.enumType('BudgetDimension', { values: upperCase(BUDGET_DIMENSIONS) });
export const BudgetUnit = builder.enumType('BudgetUnit', { values: upperCase(BUDGET_UNITS) });
export const BudgetWindowKind = builder.enumType('BudgetWindowKind', {
  values: upperCase([...CALENDAR_WINDOWS, 'rolling', 'lifetime'] as const),
});
export const BudgetEnforcement = builder.enumType('BudgetEnforcement', {
  description:
    'What is wanted where a limit is reached. ENFORCE refuses what there is no room for. AUDIT and NOTIFY refuse nothing: what requests use is counted when it is booked, and AUDIT says in the event of each whether ENFORCE would have refused it (`wouldRefuse`, and the flag `budget_would_refuse` of its entry), judged by what was booked up to a few seconds before. DOWNGRADE holds as ENFORCE does, and sends a request that it has no room for to `downgradeTo` instead, where its budgets have to have room for it: else it is refused. A key that may not use that is refused as well.',
  values: upperCase(BUDGET_ENFORCEMENTS),
});
export const UnpricedModelPolicy = builder.enumType('UnpricedModelPolicy', { values: upperCase(UNPRICED_POLICIES) });

export const BudgetKeyType = builder.objectRef<BudgetKey>('BudgetKey').implement({
  description: 'One thing that requests are told apart by.',
  fields: (t) => ({
    dimension: t.field({ type: BudgetDimension, resolve: ({ dimension }) => dimension }),
    tagKey: t.exposeString('tagKey', { nullable: true }),
  }),
});

export const BudgetConditionType = builder.objectRef<BudgetCondition>('BudgetCondition').implement({
  fields: (t) => ({
    dimension: t.field({ type: BudgetDimension, resolve: ({ dimension }) => dimension }),
    tagKey: t.exposeString('tagKey', { nullable: true }),
    in: t.exposeStringList('in', { description: 'Ids of teams, users, service accounts, keys and routes; names and values of all else.' }),
  }),
});

export const BudgetWindowType = builder.objectRef<BudgetWindow>('BudgetWindow').implement({
  fields: (t) => ({
    kind: t.field({ type: BudgetWindowKind, resolve: ({ kind }) => kind }),
    zone: t.string({ nullable: true, description: 'Of a calendar window.', resolve: (window) => ('zone' in window ? window.zone : null) }),
    anchor: t.string({
      nullable: true,
      description: 'Of a calendar window: a local time at which one begins.',
      resolve: (window) => ('anchor' in window ? window.anchor : null),
    }),
    length: t.field({
      type: 'Duration',
      nullable: true,
      description: 'Of a rolling window.',
      resolve: (window) => (window.kind === 'rolling' ? window.seconds * 1_000 : null),
    }),
  }),
});

export const BudgetLimitType = builder.objectRef<Omit<BudgetLimit, 'id'>>('BudgetLimit').implement({
  fields: (t) => ({
    unit: t.field({ type: BudgetUnit, resolve: ({ unit }) => unit }),
    amount: t.field({ type: 'Decimal', resolve: ({ unit, amount }) => decimalOfBudget(unit, amount) }),
    window: t.field({ type: BudgetWindowType, resolve: ({ window }) => window }),
  }),
});

const FallbackPrice = builder.objectRef<NonNullable<BudgetDefinition['fallbackPrice']>>('BudgetFallbackPrice').implement({
  description: 'In USD for a million tokens.',
  fields: (t) => ({
    input: t.field({ type: 'Decimal', resolve: ({ input }) => BigInt(input) }),
    output: t.field({ type: 'Decimal', resolve: ({ output }) => BigInt(output) }),
  }),
});

export const Budget = builder.loadableNodeRef('Budget', {
  id: { resolve: (row: BudgetRow) => row.id },
  load: async (ids: string[], context) => [...(await context.registry.budgetsById(ids))],
});

Budget.implement({
  description:
    'What an organization wants of a budget. With ENFORCE a request is held at the most it can cost before it is sent, and refused where a limit has no room for that. With AUDIT and NOTIFY it is counted when it is booked. Of whatever is counted, `budgetAlerts` tells the thresholds that are come to.',
  interfaces: [Versioned],
  fields: (t) => ({
    name: t.exposeString('name'),
    isActive: t.boolean({
      description: 'Whether anything is done by it: it is not archived.',
      resolve: ({ archived_at }) => archived_at === null,
    }),
    selector: t.field({
      type: [BudgetConditionType],
      description: 'All must hold; none: every request of the organization.',
      resolve: ({ definition }) => [...definition.selector],
    }),
    groupBy: t.field({
      type: [BudgetKeyType],
      description: 'Each combination of values has the limits for itself; none: all share them.',
      resolve: ({ definition }) => [...definition.groupBy],
    }),
    limits: t.field({ type: [BudgetLimitType], resolve: ({ definition }) => [...definition.limits] }),
    thresholds: t.field({
      type: ['Decimal'],
      description: 'Percent of a limit, ascending. Each is told once in a window, when what is settled comes to it: `budgetAlerts`.',
      resolve: ({ definition }) => definition.thresholds.map(parseUsd),
    }),
    enforcement: t.field({ type: BudgetEnforcement, resolve: ({ definition }) => definition.enforcement }),
    downgradeTo: t.string({ nullable: true, resolve: ({ definition }) => definition.downgradeTo }),
    onUnpricedModel: t.field({ type: UnpricedModelPolicy, resolve: ({ definition }) => definition.onUnpricedModel }),
    fallbackPrice: t.field({ type: FallbackPrice, nullable: true, resolve: ({ definition }) => definition.fallbackPrice }),
    archivedAt: t.expose('archived_at', { type: 'DateTime', nullable: true }),
  }),
});

builder.queryFields((t) => ({
  budgets: t.connection({
    type: Budget,
    description: 'Budgets in order of creation.',
    authScopes: { permission: 'budget:read' },
    args: { includeArchived: t.arg.boolean({ defaultValue: false, required: true }) },
    resolve: async (_root, args, context) => {
      const filter = { includeArchived: args.includeArchived };
      const identity = listIdentity('budgets', filter);
      const request = parsePage(args, identity);
      return connectionOf(await context.registry.budgets(request, filter), request, identity, (row) => ({ sort: row.id, id: row.id }));
    },
  }),
}));
