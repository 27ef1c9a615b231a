import type { Selectable, Updateable } from 'kysely';
import type { AlertChannelTable } from '../../../schema/tables/alert-channel.table.ts';
import type { AlertChannelKind } from '../../../schema/values/alert-channel.ts';
import { idFromUuid } from '../../../schema/values/ids.ts';
import type { Secrets } from '../../runtime/secrets.ts';
import type { Change } from '../change.ts';
import { differences, mintRowId, RegistryError, recordAct } from '../change.ts';
import { dataKeyOf } from '../data-keys.ts';
import { lockOwn, nameTaken, nextVersion } from '../own-rows.ts';
import { sealForChannel } from './channel-secret.ts';
import type { GivenTarget } from './channel-target.ts';
import { checkedTarget } from './channel-target.ts';
import { mintWebhookSecret } from './webhook-secret.ts';

/** A channel as it may be shown: nothing of what is sealed. */
export type AlertChannel = Omit<Selectable<AlertChannelTable>, 'sealed' | 'previous_sealed' | 'data_key_id'>;

export const CHANNEL_COLUMNS = [
  'id',
  'organization_id',
  'name',
  'kind',
  'url',
  'recipients',
  'budget_ids',
  'previous_ends_at',
  'failing_since',
  'disabled_at',
  'disabled_reason',
  'version',
  'created_at',
  'updated_at',
  'archived_at',
] as const;

const MOST_CHANNELS = 50;
const MOST_BUDGETS = 100;
const LONGEST_GRACE_MS = 30 * 86_400_000;

/**
 * Makes a channel that alerts of these budgets go to from now on. A webhook gets a signing secret, which is returned this once.
 * @param input.budgetIds uuids; null = every budget, those of later too.
 * @throws RegistryError `invalid`, `not_found` (a budget), `name_taken`.
 */
export async function createAlertChannel(
  change: Change,
  input: GivenTarget & { readonly name: string; readonly kind: AlertChannelKind; readonly budgetIds: readonly string[] | null },
  secrets: Secrets,
): Promise<{ channel: AlertChannel; secret: string | null; auditEventId: string }> {
  const target = checkedTarget(input.kind, input);
  await requireBudgets(change, input.budgetIds);
  const live = await change.trx
    .selectFrom('alert_channels')
    .select('id')
    .where('organization_id', '=', change.organizationId)
    .where('archived_at', 'is', null)
    .execute();
  if (live.length >= MOST_CHANNELS) throw new RegistryError('invalid', `An organization has at most ${MOST_CHANNELS} live alert channels.`);
  const id = mintRowId(change);
  const now = new Date(change.clock.now());
  const secret = input.kind === 'webhook' ? mintWebhookSecret(change.random) : null;
  const kept = secret ?? target.sealedUrl;
  const channel = await change.trx
    .insertInto('alert_channels')
    .values({
      id,
      organization_id: change.organizationId,
      name: input.name,
      kind: input.kind,
      url: target.url,
      recipients: target.recipients,
      budget_ids: input.budgetIds,
      ...(kept === null ? { sealed: null, data_key_id: null } : await sealed(change, id, kept, secrets)),
      previous_sealed: null,
      previous_ends_at: null,
      failing_since: null,
      disabled_at: null,
      disabled_reason: null,
      version: 1,
      created_at: now,
      updated_at: now,
      archived_at: null,
    })
    .returning(CHANNEL_COLUMNS)
    .executeTakeFirstOrThrow()
    .catch(taken(input.name));
  const { name, kind, url, recipients, budget_ids } = channel;
  return {
    channel,
    secret,
    auditEventId: await recordChannel(change, 'alert_channel.create', channel, {}, { name, kind, url, recipients, budget_ids }),
  };
}

/**
 * What is left out stays as it is. Enabling forgets earlier failures; disabling puts aside what was still to be sent.
 * @throws RegistryError as {@link createAlertChannel}; `archived`, `version_conflict`.
 */
export async function updateAlertChannel(
  change: Change,
  input: Partial<GivenTarget> & {
    readonly id: string;
    readonly expectedVersion: number;
    readonly name?: string;
    readonly budgetIds?: readonly string[] | null;
    readonly disabled?: boolean;
  },
  secrets: Secrets,
): Promise<{ channel: AlertChannel; auditEventId: string }> {
  const before = await lockChannel(change, input.id, input.expectedVersion);
  if (input.budgetIds !== undefined) await requireBudgets(change, input.budgetIds);
  const isMoved = input.url !== undefined || input.recipients !== undefined;
  const target = isMoved ? checkedTarget(before.kind, { url: input.url ?? null, recipients: input.recipients ?? null }) : null;
  const now = new Date(change.clock.now());
  const isStopped = input.disabled === true && before.disabled_at === null;
  const after = {
    ...(input.name === undefined ? {} : { name: input.name }),
    ...(target === null ? {} : { url: target.url, recipients: target.recipients }),
    ...(input.budgetIds === undefined ? {} : { budget_ids: input.budgetIds }),
    ...(isStopped ? { disabled_at: now, disabled_reason: 'by_hand' as const } : {}),
    ...(input.disabled === false ? { disabled_at: null, disabled_reason: null, failing_since: null } : {}),
  };
  const kept = target?.sealedUrl ?? null;
  const replaced = kept === null ? {} : await sealed(change, before.id, kept, secrets);
  const channel = await write(change, before, { ...after, ...replaced }).catch(taken(input.name ?? before.name));
  if (isStopped) await skipPending(change, before.id);
  const { failing_since: _, ...told } = { failing_since: null, ...after };
  // That a secret URL is another one is told, even where its origin is the same.
  const said = kept === null ? told : { ...told, urlReplaced: true };
  return { channel, auditEventId: await recordChannel(change, 'alert_channel.update', channel, before, said) };
}

/** Takes a channel out of use, erases its secrets and puts aside what was still to be sent. @throws RegistryError `not_found`, `archived`, `version_conflict`. */
export async function archiveAlertChannel(
  change: Change,
  input: { readonly id: string; readonly expectedVersion: number },
): Promise<{ channel: AlertChannel; auditEventId: string }> {
  const before = await lockChannel(change, input.id, input.expectedVersion);
  const after = { archived_at: new Date(change.clock.now()) };
  const channel = await write(change, before, { ...after, sealed: null, previous_sealed: null, previous_ends_at: null });
  await skipPending(change, before.id);
  return { channel, auditEventId: await recordChannel(change, 'alert_channel.archive', channel, before, after) };
}

/**
 * Gives a webhook a new signing secret, which is returned this once; the one before signs as well until its grace ends. One that was in grace
 * already ends now: there are never more than two.
 * @param input.replaceNewest the newest secret reached nobody: it is replaced, and the one before keeps what is left of its grace.
 * @throws RegistryError `not_found`, `archived`, `invalid` (no webhook, too long a grace, nothing in grace to keep).
 */
export async function rotateWebhookSecret(
  change: Change,
  input: { readonly id: string; readonly graceMs: number; readonly replaceNewest: boolean },
  secrets: Secrets,
): Promise<{ channel: AlertChannel; secret: string; auditEventId: string }> {
  if (!(input.graceMs >= 0 && input.graceMs <= LONGEST_GRACE_MS))
    throw new RegistryError('invalid', 'The grace is at most 30 days.', ['graceFor']);
  const before = await lockChannel(change, input.id, null);
  if (before.kind !== 'webhook') throw new RegistryError('invalid', 'Only a webhook has a signing secret.', ['id']);
  const isInGrace = before.previous_ends_at !== null && before.previous_ends_at.getTime() > change.clock.now();
  if (input.replaceNewest && !isInGrace) {
    throw new RegistryError('invalid', 'Only where a secret is in grace is there a newest one that nobody may know.', ['replaceNewest']);
  }
  const secret = mintWebhookSecret(change.random);
  const endsAt = new Date(change.clock.now() + input.graceMs);
  const moved = await change.trx.selectFrom('alert_channels').select('sealed').where('id', '=', before.id).executeTakeFirstOrThrow();
  const channel = await write(change, before, {
    ...(await sealed(change, before.id, secret, secrets)),
    ...(input.replaceNewest ? {} : { previous_sealed: moved.sealed, previous_ends_at: endsAt }),
  });
  const { previous_ends_at } = channel;
  return { channel, secret, auditEventId: await recordChannel(change, 'alert_channel.rotate', channel, before, { previous_ends_at }) };
}

/** The organization's live channel, held until the change commits. @throws RegistryError `not_found`, `archived`, `version_conflict`. */
export function lockChannel(change: Change, id: string, expectedVersion: number | null): Promise<AlertChannel> {
  return lockOwn(change, change.trx.selectFrom('alert_channels').select(CHANNEL_COLUMNS), 'alert channel', { id, expectedVersion });
}

/** What was still to be sent through a channel is not, for it delivers nothing any more; it can be asked for again. */
export async function skipPending(change: Change, channelId: string): Promise<void> {
  await change.trx
    .updateTable('alert_deliveries')
    .set({ state: 'skipped', next_at: null, finished_at: new Date(change.clock.now()) })
    .where('channel_id', '=', channelId)
    .where('state', '=', 'pending')
    .execute();
}

/** Writes a channel down in the audit log. @returns the uuid of the audit event. */
export function recordChannel(
  change: Change,
  action: string,
  channel: AlertChannel,
  before: object,
  after: Readonly<Record<string, unknown>>,
): Promise<string> {
  return recordAct(change, {
    action,
    targets: [{ type: 'alert_channel', id: idFromUuid('alertChannel', channel.id), name: channel.name }],
    changes: differences({ ...before }, after),
  });
}

async function sealed(change: Change, channelId: string, secret: string, secrets: Secrets) {
  const dataKey = await dataKeyOf(change, secrets);
  return { sealed: sealForChannel(dataKey.key, secret, idFromUuid('alertChannel', channelId), change.random), data_key_id: dataKey.id };
}

async function requireBudgets(change: Change, budgetIds: readonly string[] | null): Promise<void> {
  if (budgetIds === null) return;
  if (budgetIds.length < 1 || budgetIds.length > MOST_BUDGETS) {
    throw new RegistryError('invalid', `A channel names 1 to ${MOST_BUDGETS} budgets, or none at all for every one.`, ['budgetIds']);
  }
  const found = await change.trx
    .selectFrom('budgets')
    .select('id')
    .where('id', 'in', budgetIds)
    .where('organization_id', '=', change.organizationId)
    .where('archived_at', 'is', null)
    .execute();
  if (found.length < new Set(budgetIds).size) throw new RegistryError('not_found', 'There is no such budget.', ['budgetIds']);
}

function write(change: Change, before: AlertChannel, after: Updateable<AlertChannelTable>): Promise<AlertChannel> {
  return change.trx
    .updateTable('alert_channels')
    .set({ ...after, ...nextVersion(change, before) })
    .where('id', '=', before.id)
    .returning(CHANNEL_COLUMNS)
    .executeTakeFirstOrThrow();
}

function taken(name: string): (error: unknown) => never {
  return nameTaken(`A live alert channel named ${name} exists.`);
}
