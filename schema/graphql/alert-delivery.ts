import { ALERT_DELIVERY_STATES } from '../values/alert-channel.ts';
import { idFromUuid } from '../values/ids.ts';
import { AlertChannel } from './alert-channel.ts';
import { BudgetAlert } from './budget-alert.ts';
import { builder } from './builder.ts';
import { requireUuid, requireUuidOfKind } from './global-id.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { AlertDeliveryAttemptRow, AlertDeliveryRow } from './ports/alert-channels.ts';
import { readable } from './readable.ts';

const states = {
  pending: 'It is due, being tried, or waits for its next try.',
  delivered: 'Its receiver took it.',
  failed: 'It was given up.',
  skipped: 'Its channel was disabled or archived before it went out.',
} as const;

const AlertDeliveryState = builder.enumType('AlertDeliveryState', {
  values: Object.fromEntries(
    ALERT_DELIVERY_STATES.map((state) => [state.toUpperCase(), { value: state, description: states[state] }] as const),
  ),
});

const AlertDeliveryAttempt = builder.objectRef<AlertDeliveryAttemptRow>('AlertDeliveryAttempt').implement({
  description: 'One try. Of the answer only its status is known: nothing that a receiver says is kept.',
  fields: (t) => ({
    number: t.exposeInt('attempt'),
    startedAt: t.expose('started_at', { type: 'DateTime' }),
    endedAt: t.expose('ended_at', {
      type: 'DateTime',
      nullable: true,
      description: 'Null while it is under way, or where its process died over it: then it is made again, under the same id.',
    }),
    statusCode: t.exposeInt('status', { nullable: true, description: 'Of the answer, HTTP or SMTP; null where there was none.' }),
    error: t.exposeString('error', { nullable: true, description: 'Why it failed, or what of it did; null where all went well.' }),
  }),
});

export const AlertDelivery = builder.loadableNodeRef('AlertDelivery', {
  id: { resolve: (row: AlertDeliveryRow) => row.id },
  load: async (ids: string[], context) => [...(await context.registry.alertDeliveriesById(ids))],
});

AlertDelivery.implement({
  description: 'One message to one channel. Its id is the `webhook-id`, the same in every try. It is kept for 90 days after it is over.',
  fields: (t) => ({
    channel: t.field({ type: AlertChannel, nullable: true, resolve: (row) => row.channel_id }),
    alert: t.field({
      type: BudgetAlert,
      nullable: true,
      description: 'Null where it is a test, or word of another channel; also for who may not read budgets.',
      resolve: (row, _args, context) => readable(context, 'BudgetAlert', row.alert_id),
    }),
    alertId: t.id({
      nullable: true,
      description: 'Of the alert; null where it is a test, or word of another channel.',
      resolve: ({ alert_id }) => (alert_id === null ? null : idFromUuid('budgetAlert', alert_id)),
    }),
    type: t.exposeString('type', { description: 'Such as `budget.threshold`, `alert_channel.test` or `alert_channel.disabled`.' }),
    subject: t.exposeString('subject', { nullable: true, description: 'Of an e-mail.' }),
    body: t.exposeString('body', { description: 'What is sent, to the byte.' }),
    state: t.field({ type: AlertDeliveryState, resolve: (row) => row.state }),
    attempts: t.loadableList({
      type: AlertDeliveryAttempt,
      extensions: { cost: () => 2 },
      load: async (ids: string[], context) => (await context.registry.attemptsOfDeliveries(ids)).map((attempts) => [...attempts]),
      resolve: (row) => row.id,
    }),
    nextAttemptAt: t.expose('next_at', {
      type: 'DateTime',
      nullable: true,
      description: 'Of a PENDING one: when it is tried again, or while a try is under way, when that is given up.',
    }),
    createdAt: t.expose('created_at', { type: 'DateTime' }),
    finishedAt: t.expose('finished_at', { type: 'DateTime', nullable: true }),
  }),
});

builder.objectField(BudgetAlert, 'deliveries', (t) =>
  t.loadableList({
    type: AlertDelivery,
    description:
      'What was made of it for the channels that wanted it, one each, in the order of the channels. They are kept for 90 days after they are over.',
    authScopes: { permission: 'alert_channel:read' },
    extensions: { cost: () => 5 },
    load: async (ids: string[], context) => (await context.registry.deliveriesOfAlerts(ids)).map((deliveries) => [...deliveries]),
    resolve: (row) => row.id,
  }),
);

const DeliveryFilter = builder.inputType('AlertDeliveryFilter', {
  fields: (t) => ({
    channelId: t.id(),
    alertId: t.id(),
    states: t.field({ type: [AlertDeliveryState], description: 'Any of these.' }),
  }),
});

builder.queryFields((t) => ({
  alertDeliveries: t.connection({
    type: AlertDelivery,
    description: 'What was and is to be sent to alert channels, newest first.',
    authScopes: { permission: 'alert_channel:read' },
    args: { filter: t.arg({ type: DeliveryFilter }) },
    resolve: async (_root, args, context) => {
      const { filter: asked } = args;
      const filter = {
        channelId: asked?.channelId == null ? null : requireUuid('AlertChannel', asked.channelId),
        alertId: asked?.alertId == null ? null : requireUuidOfKind('budgetAlert', 'BudgetAlert', asked.alertId),
        states: asked?.states ?? null,
      };
      const identity = listIdentity('alertDeliveries', filter);
      const request = parsePage(args, identity);
      const page = await context.registry.alertDeliveries(request, filter);
      return connectionOf(page, request, identity, (row) => ({ sort: row.id, id: row.id }));
    },
  }),
}));
