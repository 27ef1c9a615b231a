import { AlertChannel, AlertChannelKind } from './alert-channel.ts';
import { AlertDelivery } from './alert-delivery.ts';
import { badInput } from './bad-input.ts';
import { builder } from './builder.ts';
import { requireUuid } from './global-id.ts';
import { expectedVersionField, idempotencyKeyField, MutationPayload, payloadOf } from './mutation-payload.ts';
import type { WebhookSecretOutcome } from './ports/alert-channels.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';

const dayMs = 86_400_000;

const ChannelPayload = (name: string) =>
  builder.objectRef<ChangeOutcome<null>>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({ alertChannel: t.field({ type: AlertChannel, nullable: true, resolve: ({ entityId }) => entityId }) }),
  });

const SecretPayload = (name: string) =>
  builder.objectRef<WebhookSecretOutcome>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({
      alertChannel: t.field({ type: AlertChannel, nullable: true, resolve: ({ entityId }) => entityId }),
      secret: t.exposeString('secret', {
        nullable: true,
        description: 'Of a WEBHOOK: what its messages are signed with, `whsec_…`, this once. A replay does not have it.',
      }),
    }),
  });

const DeliveryPayload = (name: string) =>
  builder.objectRef<ChangeOutcome<null>>(name).implement({
    interfaces: [MutationPayload],
    fields: (t) => ({ alertDelivery: t.field({ type: AlertDelivery, nullable: true, resolve: ({ entityId }) => entityId }) }),
  });

const target = (t: Parameters<Parameters<typeof builder.inputType>[1]['fields']>[0]) => ({
  url: t.string({
    description: 'Of a WEBHOOK or of SLACK: http or https, without user and password. Of SLACK it is sealed and can never be read again.',
  }),
  recipients: t.stringList({ description: 'Of EMAIL: 1 to 20 addresses.' }),
  budgetIds: t.idList({ description: 'Of which alerts it is told, 1 to 100; null: of every budget, later ones too.' }),
});

const CreateInput = builder.inputType('AlertChannelCreateInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    name: t.string({ required: true }),
    kind: t.field({ type: AlertChannelKind, required: true }),
    ...target(t),
  }),
});
const UpdateInput = builder.inputType('AlertChannelUpdateInput', {
  description: 'What is left out stays as it is.',
  fields: (t) => ({
    id: t.id({ required: true }),
    expectedVersion: t.int(expectedVersionField),
    name: t.string(),
    ...target(t),
    disabled: t.boolean({ description: 'A disabled channel is told of nothing until it is enabled again.' }),
  }),
});
const ArchiveInput = builder.inputType('AlertChannelArchiveInput', {
  fields: (t) => ({ id: t.id({ required: true }), expectedVersion: t.int(expectedVersionField) }),
});
const TestInput = builder.inputType('AlertChannelTestInput', {
  fields: (t) => ({ idempotencyKey: t.string(idempotencyKeyField), id: t.id({ required: true }) }),
});
const RotateInput = builder.inputType('WebhookSecretRotateInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    id: t.id({ required: true }),
    graceFor: t.field({
      type: 'Duration',
      required: true,
      defaultValue: dayMs,
      description: 'How long messages are signed with the former secret as well: 0 to 30 days.',
    }),
    replaceNewest: t.boolean({
      required: true,
      defaultValue: false,
      description:
        'The newest secret reached nobody, say because the answer was lost: the former one keeps its grace. Only while there is one.',
    }),
  }),
});
const RedeliverInput = builder.inputType('WebhookRedeliverInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    id: t.id({ required: true, description: 'Of a delivery that is over.' }),
  }),
});

const budgetUuids = (ids: readonly string[] | null) => ids && [...new Set(ids.map((id) => requireUuid('Budget', id)))];

builder.mutationFields((t) => ({
  alertChannelCreate: t.field({
    type: SecretPayload('AlertChannelCreatePayload'),
    description: 'Makes a channel that alerts go to from then on. The gateway calls whatever host it names.',
    authScopes: { permission: 'alert_channel:create' },
    args: { input: t.arg({ type: CreateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() =>
        context.changes.alertChannelCreate({
          ...input,
          url: input.url ?? null,
          recipients: input.recipients ?? null,
          budgetIds: budgetUuids(input.budgetIds ?? null),
        }),
      ),
  }),
  alertChannelUpdate: t.field({
    type: ChannelPayload('AlertChannelUpdatePayload'),
    authScopes: { permission: 'alert_channel:update' },
    args: { input: t.arg({ type: UpdateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => {
        const { id, expectedVersion, name, url, recipients, budgetIds, disabled } = input;
        if ([name, url, recipients, disabled].includes(null)) throw badInput('Only `budgetIds` can be null.');
        return context.changes.alertChannelUpdate({
          id: requireUuid('AlertChannel', id),
          expectedVersion,
          ...(name == null ? {} : { name }),
          ...(url == null ? {} : { url }),
          ...(recipients == null ? {} : { recipients }),
          ...(budgetIds === undefined ? {} : { budgetIds: budgetUuids(budgetIds) }),
          ...(disabled == null ? {} : { disabled }),
        });
      }),
  }),
  alertChannelArchive: t.field({
    type: ChannelPayload('AlertChannelArchivePayload'),
    description: 'Takes a channel out of use and forgets its secrets; its name is free again.',
    authScopes: { permission: 'alert_channel:archive' },
    args: { input: t.arg({ type: ArchiveInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => context.changes.alertChannelArchive({ ...input, id: requireUuid('AlertChannel', input.id) })),
  }),
  alertChannelTest: t.field({
    type: DeliveryPayload('AlertChannelTestPayload'),
    description:
      'Sends a message `alert_channel.test` once, also through a disabled channel. The delivery says within seconds how it went.',
    authScopes: { permission: 'alert_channel:send' },
    extensions: { cost: () => 50 },
    args: { input: t.arg({ type: TestInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => context.changes.alertChannelTest({ ...input, id: requireUuid('AlertChannel', input.id) })),
  }),
  webhookSecretRotate: t.field({
    type: SecretPayload('WebhookSecretRotatePayload'),
    description: 'Gives a webhook a new signing secret; for `graceFor` the former one signs as well.',
    authScopes: { permission: 'alert_channel:rotate' },
    args: { input: t.arg({ type: RotateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => {
        const { graceFor: graceMs, ...rest } = input;
        return context.changes.webhookSecretRotate({ ...rest, graceMs, id: requireUuid('AlertChannel', input.id) });
      }),
  }),
  webhookRedeliver: t.field({
    type: DeliveryPayload('WebhookRedeliverPayload'),
    description: 'Sends a delivery that is over again, of whatever kind of channel, under the same id and with all the tries of a new one.',
    authScopes: { permission: 'alert_channel:send' },
    extensions: { cost: () => 50 },
    args: { input: t.arg({ type: RedeliverInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payloadOf(() => context.changes.webhookRedeliver({ ...input, id: requireUuid('AlertDelivery', input.id) })),
  }),
}));
