import { idFromUuid } from '../../../schema/values/ids.ts';
import type { Change } from '../change.ts';
import { mintRowId, RegistryError } from '../change.ts';
import type { AlertChannel } from './alert-channels.ts';
import { CHANNEL_COLUMNS, lockChannel, recordChannel, skipPending } from './alert-channels.ts';
import type { AlertMessage } from './alert-message.ts';
import { renderAlert } from './render-alert.ts';
import { mostTries } from './retry-schedule.ts';

/** A person waits to see whether it works: one try says so. */
const TRIES_OF_A_TEST = 1;
/** Tries that are remembered one by one; where so many failed another one helps nobody. */
const MOST_ATTEMPTS = 100;

/** The row that a message for a channel becomes: due at once, or put aside where the channel delivers nothing. @param made.alertId uuid of the alert that the message is of. */
export function deliveryRow(
  channel: Pick<AlertChannel, 'id' | 'organization_id' | 'kind' | 'disabled_at'>,
  message: AlertMessage,
  made: { readonly id: string; readonly at: Date; readonly alertId?: string },
) {
  const isTest = message.type === 'alert_channel.test';
  const isPending = channel.disabled_at === null || isTest;
  return {
    id: made.id,
    organization_id: channel.organization_id,
    channel_id: channel.id,
    alert_id: made.alertId ?? null,
    type: message.type,
    ...renderAlert(channel.kind, message),
    state: isPending ? ('pending' as const) : ('skipped' as const),
    most_tries: isTest ? TRIES_OF_A_TEST : mostTries,
    tries: 0,
    attempts: 0,
    next_at: isPending ? made.at : null,
    created_at: made.at,
    finished_at: isPending ? null : made.at,
  };
}

/** Sends a test through a channel, once, also through a disabled one: so one sees whether to enable it. @throws RegistryError `not_found`, `archived`. */
export async function testAlertChannel(
  change: Change,
  input: { readonly id: string },
): Promise<{ deliveryId: string; auditEventId: string }> {
  const channel = await lockChannel(change, input.id, null);
  const at = new Date(change.clock.now());
  const message: AlertMessage = { type: 'alert_channel.test', at, channel: named(channel) };
  const row = deliveryRow(channel, message, { id: mintRowId(change), at });
  await change.trx.insertInto('alert_deliveries').values(row).execute();
  const delivery = idFromUuid('alertDelivery', row.id);
  return { deliveryId: row.id, auditEventId: await recordChannel(change, 'alert_channel.test', channel, {}, { delivery }) };
}

/**
 * Sends a delivery again that is over, with all the tries of a new one and the same id: a receiver that had it may tell.
 * @throws RegistryError `not_found`; `invalid` while it is pending, its channel delivers nothing, or too much was tried already.
 */
export async function redeliverAlert(change: Change, input: { readonly id: string }): Promise<{ auditEventId: string }> {
  const found = await change.trx
    .selectFrom('alert_deliveries')
    .select('channel_id')
    .where('id', '=', input.id)
    .where('organization_id', '=', change.organizationId)
    .executeTakeFirst();
  if (found === undefined) throw new RegistryError('not_found', 'There is no such delivery.', ['id']);
  // The channel first and the delivery after, as everybody does.
  const channel = await lockChannel(change, found.channel_id, null);
  if (channel.disabled_at !== null) throw new RegistryError('invalid', 'Its channel is disabled; enable it first.', ['id']);
  const delivery = await change.trx
    .selectFrom('alert_deliveries')
    .select(['state', 'attempts'])
    .where('id', '=', input.id)
    .forUpdate()
    .executeTakeFirstOrThrow();
  if (delivery.state === 'pending') throw new RegistryError('invalid', 'It is still being tried.', ['id']);
  if (delivery.attempts >= MOST_ATTEMPTS) throw new RegistryError('invalid', `It was tried ${MOST_ATTEMPTS} times.`, ['id']);
  await change.trx
    .updateTable('alert_deliveries')
    .set({ state: 'pending', tries: 0, next_at: new Date(change.clock.now()), finished_at: null })
    .where('id', '=', input.id)
    .execute();
  const redelivered = idFromUuid('alertDelivery', input.id);
  return { auditEventId: await recordChannel(change, 'alert_channel.redeliver', channel, {}, { redelivered }) };
}

/**
 * Disables a channel that cannot be delivered to and tells every other one of the organization. It does nothing where the channel is disabled or
 * archived already.
 */
export async function disableFailingChannel(change: Change, channelId: string, reason: 'gone' | 'undeliverable'): Promise<void> {
  const live = () =>
    change.trx
      .selectFrom('alert_channels')
      .select(CHANNEL_COLUMNS)
      .where('organization_id', '=', change.organizationId)
      .where('archived_at', 'is', null)
      .where('disabled_at', 'is', null);
  const failing = await live().where('id', '=', channelId).forUpdate().executeTakeFirst();
  if (failing === undefined) return;
  // Not held: who holds one channel and waits for another could wait for somebody who does the same.
  const others = await live().where('id', '!=', channelId).orderBy('id').execute();
  const at = new Date(change.clock.now());
  const after = { disabled_at: at, disabled_reason: reason };
  await change.trx
    .updateTable('alert_channels')
    .set({ ...after, version: failing.version + 1, updated_at: at })
    .where('id', '=', channelId)
    .execute();
  await skipPending(change, channelId);
  await recordChannel(change, 'alert_channel.disable', failing, failing, after);
  const message: AlertMessage = { type: 'alert_channel.disabled', at, channel: { ...named(failing), kind: failing.kind }, reason };
  const rows = others.map((other) => deliveryRow(other, message, { id: mintRowId(change), at }));
  if (rows.length > 0) await change.trx.insertInto('alert_deliveries').values(rows).execute();
}

function named({ id, name }: AlertChannel) {
  return { id: idFromUuid('alertChannel', id), name };
}
