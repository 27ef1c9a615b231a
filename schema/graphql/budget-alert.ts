import type { BudgetWindow } from '../values/budget.ts';
import { CALENDAR_WINDOWS } from '../values/budget.ts';
import { idFromUuid } from '../values/ids.ts';
import { PICO_PER_USD } from '../values/money.ts';
import { Budget, BudgetUnit, BudgetWindowKind } from './budget.ts';
import { decimalOfBudget } from './budget-amount.ts';
import { builder } from './builder.ts';
import { requireUuid } from './global-id.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { BudgetAlertRow } from './ports/budgets.ts';
import type { BudgetAlertEvent } from './ports/live-streams.ts';
import { controlTypeOf, StreamEnd, StreamGap, StreamHeartbeat } from './stream.ts';

const windowKinds: readonly BudgetWindow['kind'][] = [...CALENDAR_WINDOWS, 'rolling', 'lifetime'];

const BudgetAlertKind = builder.enumType('BudgetAlertKind', {
  values: { THRESHOLD: { value: 'threshold', description: 'What is settled has come to a threshold of a limit.' } } as const,
});

export const BudgetAlert = builder.loadableNodeRef('BudgetAlert', {
  id: { resolve: (row: BudgetAlertRow) => row.id },
  load: async (ids: string[], context) => [...(await context.registry.alertsById(ids))],
});

BudgetAlert.implement({
  description:
    'Told once in a window, for each group of its own; again only where the limit was raised since and its threshold is come to once more. Amounts are in the unit of the limit, as they were then.',
  fields: (t) => ({
    seq: t.loadable({
      type: 'BigInt',
      nullable: true,
      description: "Its position in the organization's journal; null while it waits for one.",
      load: async (ids: string[], context) => [...(await context.journal.positionsOf('alert', ids))],
      resolve: (row) => row.id,
    }),
    kind: t.field({ type: BudgetAlertKind, resolve: ({ kind }) => kind }),
    budget: t.field({ type: Budget, nullable: true, resolve: ({ budget_id }) => budget_id }),
    threshold: t.field({
      type: 'Decimal',
      description: 'Percent of the limit.',
      resolve: ({ threshold_basis_points }) => (BigInt(threshold_basis_points) * PICO_PER_USD) / 100n,
    }),
    unit: t.field({ type: BudgetUnit, resolve: ({ unit }) => unit }),
    limitAmount: t.field({
      type: 'Decimal',
      description: 'The limit, with a raise that ran.',
      resolve: ({ unit, amount }) => decimalOfBudget(unit, amount.toString()),
    }),
    settled: t.field({
      type: 'Decimal',
      description: 'Booked in the window.',
      resolve: ({ unit, settled }) => decimalOfBudget(unit, settled.toString()),
    }),
    held: t.field({
      type: 'Decimal',
      description: 'Held beside it, for requests in flight and room that proxies have leased.',
      resolve: ({ unit, held }) => decimalOfBudget(unit, held.toString()),
    }),
    stateId: t.id({
      description: 'Of the `BudgetState` that shows how it stands now.',
      resolve: ({ counter_id }) => idFromUuid('counter', counter_id),
    }),
    groupKey: t.exposeString('group_key', {
      description:
        'The values of what the budget groups by, as a JSON list, or `sha256:` and the hash of a list that is long; empty where all share the limit. Of an END_USER what stands for the name.',
    }),
    windowKind: t.field({
      type: BudgetWindowKind,
      nullable: true,
      resolve: ({ window_key }) => windowKinds.find((kind) => kind === window_key.split(':')[1]) ?? null,
    }),
    windowStartsAt: t.expose('starts_at', { type: 'DateTime', nullable: true, description: 'Null: it has no beginning.' }),
    windowEndsAt: t.expose('ends_at', { type: 'DateTime', nullable: true, description: 'Null: it has no end.' }),
    projectedExhaustionAt: t.expose('projected_exhaustion_at', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the limit is used up if money goes on being settled at the average rate since its window began to count. Null: not in this window, or not known.',
    }),
    at: t.expose('created_at', { type: 'DateTime', description: 'When it was told.' }),
  }),
});

const BudgetAlertTold = builder.objectRef<BudgetAlertEvent>('BudgetAlertTold').implement({
  description: 'A threshold of a budget was come to.',
  fields: (t) => ({
    cursor: t.expose('cursor', { type: 'Cursor' }),
    seq: t.expose('position', { type: 'BigInt', description: "Its position in the organization's journal: growing, not dense." }),
    alert: t.field({ type: BudgetAlert, resolve: ({ alertId }) => alertId }),
  }),
});

const BudgetAlertStream = builder.unionType('BudgetAlertStream', {
  types: [BudgetAlertTold, StreamHeartbeat, StreamGap, StreamEnd],
  resolveType: (event) => (event.kind === 'alert' ? 'BudgetAlertTold' : controlTypeOf(event)),
});

builder.queryFields((t) => ({
  budgetAlerts: t.connection({
    type: BudgetAlert,
    description: 'Alerts of budgets, newest first.',
    authScopes: { permission: 'budget:read' },
    args: { budgetId: t.arg.id() },
    resolve: async (_root, args, context) => {
      const filter = { budgetId: args.budgetId == null ? null : requireUuid('Budget', args.budgetId) };
      const identity = listIdentity('budgetAlerts', filter);
      const request = parsePage(args, identity);
      const page = await context.registry.budgetAlerts(request, filter);
      return connectionOf(page, request, identity, (row) => ({ sort: String(row.created_at.getTime()), id: row.id }));
    },
  }),
}));

builder.subscriptionFields((t) => ({
  budgetAlerts: t.field({
    type: BudgetAlertStream,
    description:
      'Alerts of budgets within seconds of the booking that comes to a threshold, each once and in order: none is left out because a reader is slow, and one that resumes misses none.',
    authScopes: { permission: 'budget:read' },
    args: { after: t.arg({ type: 'Cursor' }) },
    subscribe: (_root, { after }, context) => context.live.budgetAlerts({ after: after ?? null }),
    resolve: (event) => event,
  }),
}));
