import type { ColumnType } from 'kysely';
import type { AlertChannelKind, ChannelDisabledReason } from '../values/alert-channel.ts';

/** Where an organization wants its alerts. A reader may select every column but the sealed ones and `data_key_id`. */
export interface AlertChannelTable {
  id: ColumnType<string, string, never>;
  organization_id: ColumnType<string, string, never>;
  name: string;
  kind: ColumnType<AlertChannelKind, AlertChannelKind, never>;
  /** Of a webhook the whole URL; of Slack its origin, for the rest is a secret; null of e-mail. */
  url: string | null;
  /** Of e-mail; null otherwise. */
  recipients: readonly string[] | null;
  /** uuids; null = every budget of the organization. */
  budget_ids: readonly string[] | null;
  /** Of a webhook its newest signing secret, of Slack the URL; null of e-mail, and once the channel is archived. */
  sealed: Buffer | null;
  /** Of a webhook: the secret before, which signs as well until `previous_ends_at`. */
  previous_sealed: Buffer | null;
  previous_ends_at: Date | null;
  data_key_id: string | null;
  /** The first failure since something got through; null = the latest try got through, or there was none. */
  failing_since: Date | null;
  disabled_at: Date | null;
  disabled_reason: ChannelDisabledReason | null;
  version: number;
  created_at: ColumnType<Date, Date, never>;
  updated_at: Date;
  archived_at: Date | null;
}
