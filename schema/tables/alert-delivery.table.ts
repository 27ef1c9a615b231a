import type { ColumnType } from 'kysely';
import type { AlertDeliveryState } from '../values/alert-channel.ts';

/** One message to one channel. */
export interface AlertDeliveryTable {
  /** As text (`dlv_…`) the `webhook-id`: the same in every try, and in every redelivery. */
  id: ColumnType<string, string, never>;
  organization_id: ColumnType<string, string, never>;
  channel_id: ColumnType<string, string, never>;
  /** Null: a test, or word of another channel. */
  alert_id: ColumnType<string | null, string | null, never>;
  /** Such as `alert_channel.test`. */
  type: ColumnType<string, string, never>;
  /** Of an e-mail; null otherwise. */
  subject: ColumnType<string | null, string | null, never>;
  /** What is sent, to the byte: JSON, or the text of an e-mail. */
  body: ColumnType<string, string, never>;
  state: AlertDeliveryState;
  /** How many tries it is worth. */
  most_tries: ColumnType<number, number, never>;
  /** Tries since it was last asked for. */
  tries: number;
  /** All tries ever. */
  attempts: ColumnType<number, number, number>;
  /** When a pending one is tried, or looked at again where a try is under way. */
  next_at: Date | null;
  created_at: ColumnType<Date, Date, never>;
  finished_at: Date | null;
}
