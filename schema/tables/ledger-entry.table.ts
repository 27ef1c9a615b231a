import type { ColumnType } from 'kysely';
import type { Outcome } from '../events/request-settled.v1.ts';

/** One immutable line of the ledger: an update does not compile, is not granted and is refused by a trigger. */
export interface LedgerEntryTable {
  entry_id: ColumnType<string, string, never>;
  occurred_at: ColumnType<Date, Date, never>;
  recorded_at: ColumnType<Date, Date | undefined, never>;
  kind: ColumnType<
    'usage' | 'adjustment' | 'reversal' | 'overrun' | 'credit',
    'usage' | 'adjustment' | 'reversal' | 'overrun' | 'credit',
    never
  >;
  organization_id: ColumnType<string, string, never>;
  request_id: ColumnType<string, string, never>;
  api_key_id: ColumnType<string, string, never>;
  team_id: ColumnType<string | null, string | null, never>;
  user_id: ColumnType<string | null, string | null, never>;
  service_account_id: ColumnType<string | null, string | null, never>;
  endpoint: ColumnType<string, string, never>;
  provider: ColumnType<string | null, string | null, never>;
  model: ColumnType<string | null, string | null, never>;
  model_requested: ColumnType<string | null, string | null, never>;
  route_id: ColumnType<string | null, string | null, never>;
  outcome: ColumnType<Outcome, Outcome, never>;
  status: ColumnType<number | null, number | null, never>;
  error_code: ColumnType<string | null, string | null, never>;
  stream: ColumnType<boolean, boolean, never>;
  tokens_input: ColumnType<bigint | null, bigint | null, never>;
  tokens_cache_read: ColumnType<bigint | null, bigint | null, never>;
  tokens_cache_write_5m: ColumnType<bigint | null, bigint | null, never>;
  tokens_cache_write_1h: ColumnType<bigint | null, bigint | null, never>;
  tokens_input_audio: ColumnType<bigint | null, bigint | null, never>;
  tokens_input_image: ColumnType<bigint | null, bigint | null, never>;
  tokens_output: ColumnType<bigint | null, bigint | null, never>;
  tokens_reasoning: ColumnType<bigint | null, bigint | null, never>;
  tokens_output_audio: ColumnType<bigint | null, bigint | null, never>;
  tokens_output_image: ColumnType<bigint | null, bigint | null, never>;
  usage_source: ColumnType<'provider' | 'estimated' | null, 'provider' | 'estimated' | null, never>;
  cost: ColumnType<bigint | null, bigint | null, never>;
  price_version: ColumnType<string | null, string | null, never>;
  unrated: ColumnType<string | null, string | null, never>;
  proxy_cost: ColumnType<bigint | null, bigint | null, never>;
  flags: ColumnType<string[], string[], never>;
  tags: ColumnType<Readonly<Record<string, string>>, Readonly<Record<string, string>>, never>;
  first_byte_ms: ColumnType<number | null, number | null, never>;
  total_ms: ColumnType<number | null, number | null, never>;
  reverses: ColumnType<string | null, string | null, never>;
  reason: ColumnType<string | null, string | null, never>;
  log_partition: ColumnType<number | null, number | null, never>;
  log_offset: ColumnType<bigint | null, bigint | null, never>;
  body: ColumnType<Buffer, Buffer, never>;
  body_hash: ColumnType<Buffer, Buffer, never>;
}
