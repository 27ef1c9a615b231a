import { ALERT_CHANNEL_KINDS, CHANNEL_DISABLED_REASONS } from '../values/alert-channel.ts';
import { Budget } from './budget.ts';
import { builder } from './builder.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { AlertChannelRow } from './ports/alert-channels.ts';
import { Versioned } from './versioned.ts';

const kinds = {
  webhook: 'POSTed as JSON and signed by Standard Webhooks 1.0.0.',
  slack: 'POSTed to an incoming webhook of Slack, or of what takes the same.',
  email: "Mailed through the installation's mail server.",
} as const;

export const AlertChannelKind = builder.enumType('AlertChannelKind', {
  values: Object.fromEntries(ALERT_CHANNEL_KINDS.map((kind) => [kind.toUpperCase(), { value: kind, description: kinds[kind] }] as const)),
});

const reasons = {
  by_hand: 'Somebody disabled it.',
  gone: 'Its receiver answered that it is gone (HTTP 410).',
  undeliverable: 'A message was given up after its last try, and nothing had got through meanwhile.',
} as const;

const DisabledReason = builder.enumType('AlertChannelDisabledReason', {
  values: Object.fromEntries(
    CHANNEL_DISABLED_REASONS.map((reason) => [reason.toUpperCase(), { value: reason, description: reasons[reason] }] as const),
  ),
});

export const AlertChannel = builder.loadableNodeRef('AlertChannel', {
  id: { resolve: (row: AlertChannelRow) => row.id },
  load: async (ids: string[], context) => [...(await context.registry.alertChannelsById(ids))],
});

AlertChannel.implement({
  description: 'Where alerts go. Its secrets can be replaced and never be read.',
  interfaces: [Versioned],
  fields: (t) => ({
    name: t.exposeString('name'),
    kind: t.field({ type: AlertChannelKind, resolve: (row) => row.kind }),
    url: t.exposeString('url', {
      nullable: true,
      description: 'Of a WEBHOOK, whole. Of SLACK its origin only: whoever knows the rest may write there. Null of EMAIL.',
    }),
    recipients: t.stringList({ nullable: true, description: 'Of EMAIL.', resolve: ({ recipients }) => recipients && [...recipients] }),
    budgets: t.field({
      type: [Budget],
      nullable: true,
      description: 'Of which alerts it is told; null: of every one of the organization, later ones too.',
      resolve: ({ budget_ids }) => budget_ids && [...budget_ids],
    }),
    previousSecretEndsAt: t.expose('previous_ends_at', {
      type: 'DateTime',
      nullable: true,
      description: 'Until then a WEBHOOK is signed with its former secret as well; null where there is none.',
    }),
    failingSince: t.expose('failing_since', {
      type: 'DateTime',
      nullable: true,
      description: 'When the first try failed since one got through; null where the latest did, or there was none.',
    }),
    disabledAt: t.expose('disabled_at', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when nothing is sent there: what comes is kept as SKIPPED, and `webhookRedeliver` sends it later.',
    }),
    disabledReason: t.field({ type: DisabledReason, nullable: true, resolve: (row) => row.disabled_reason }),
    archivedAt: t.expose('archived_at', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was taken out of use: its secrets are gone since.',
    }),
  }),
});

builder.queryFields((t) => ({
  alertChannels: t.connection({
    type: AlertChannel,
    description: 'Alert channels in order of creation.',
    authScopes: { permission: 'alert_channel:read' },
    args: { includeArchived: t.arg.boolean({ defaultValue: false, required: true }) },
    resolve: async (_root, args, context) => {
      const filter = { includeArchived: args.includeArchived };
      const identity = listIdentity('alertChannels', filter);
      const request = parsePage(args, identity);
      const page = await context.registry.alertChannels(request, filter);
      return connectionOf(page, request, identity, (row) => ({ sort: row.id, id: row.id }));
    },
  }),
}));
