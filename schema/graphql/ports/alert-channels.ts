import type { Selectable } from 'kysely';
import type { AlertChannelTable } from '../../tables/alert-channel.table.ts';
import type { AlertDeliveryTable } from '../../tables/alert-delivery.table.ts';
import type { AlertDeliveryAttemptTable } from '../../tables/alert-delivery-attempt.table.ts';
import type { AlertChannelKind, AlertDeliveryState } from '../../values/alert-channel.ts';
import type { Page, PageRequest } from '../page.ts';
import type { ByIds } from './by-ids.ts';
import type { ChangeOutcome, ExpectingVersion, Idempotent } from './change-outcome.ts';

/** What may be known of a channel: never what is sealed. */
export type AlertChannelRow = Omit<Selectable<AlertChannelTable>, 'sealed' | 'previous_sealed' | 'data_key_id'>;
export type AlertDeliveryRow = Selectable<AlertDeliveryTable>;
export type AlertDeliveryAttemptRow = Selectable<AlertDeliveryAttemptTable>;

export interface AlertDeliveryFilter {
  readonly channelId: string | null;
  readonly alertId: string | null;
  readonly states: readonly AlertDeliveryState[] | null;
}

/** Reads of where one organization's alerts go and went. Channels are in order of creation, deliveries newest first. */
export interface AlertChannelReads {
  readonly alertChannelsById: ByIds<AlertChannelRow>;
  readonly alertChannels: (page: PageRequest, filter: { readonly includeArchived: boolean }) => Promise<Page<AlertChannelRow>>;
  readonly alertDeliveriesById: ByIds<AlertDeliveryRow>;
  readonly alertDeliveries: (page: PageRequest, filter: AlertDeliveryFilter) => Promise<Page<AlertDeliveryRow>>;
  /** Of each alert, one for each channel that wanted it. */
  readonly deliveriesOfAlerts: (alertIds: readonly string[]) => Promise<readonly (readonly AlertDeliveryRow[])[]>;
  /** In order, of each delivery. */
  readonly attemptsOfDeliveries: (deliveryIds: readonly string[]) => Promise<readonly (readonly AlertDeliveryAttemptRow[])[]>;
}

/** Adds the plaintext of a new signing secret, which exists in this answer only and never in a replay. */
export interface WebhookSecretOutcome extends ChangeOutcome<null> {
  readonly secret: string | null;
}

export interface AlertChannelFields {
  readonly name: string;
  readonly url: string | null;
  readonly recipients: readonly string[] | null;
  readonly budgetIds: readonly string[] | null;
}

/** Changes of channels, and what is asked of them. Ids are uuids; rows are read again. */
export interface AlertChannelChanges {
  readonly alertChannelCreate: (
    input: Idempotent & AlertChannelFields & { readonly kind: AlertChannelKind },
  ) => Promise<WebhookSecretOutcome>;
  readonly alertChannelUpdate: (
    input: ExpectingVersion & Partial<AlertChannelFields> & { readonly disabled?: boolean },
  ) => Promise<ChangeOutcome<null>>;
  readonly alertChannelArchive: (input: ExpectingVersion) => Promise<ChangeOutcome<null>>;
  readonly alertChannelTest: (input: Idempotent & { readonly id: string }) => Promise<ChangeOutcome<null>>;
  readonly webhookSecretRotate: (
    input: Idempotent & { readonly id: string; readonly graceMs: number; readonly replaceNewest: boolean },
  ) => Promise<WebhookSecretOutcome>;
  readonly webhookRedeliver: (input: Idempotent & { readonly id: string }) => Promise<ChangeOutcome<null>>;
}
