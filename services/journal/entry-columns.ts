import type { Insertable } from 'kysely';
import type { LedgerEntryTable } from '../../schema/tables/ledger-entry.table.ts';
import { byteaArray, plainArray, textArray } from './sql-array.ts';

/** An entry as it is appended; the database says when it was recorded. */
export type LedgerEntryInsert = Readonly<Required<Omit<Insertable<LedgerEntryTable>, 'recorded_at'>>>;

type Column = {
  readonly name: keyof LedgerEntryInsert;
  /** Type of the array parameter's elements. */
  readonly type: string;
  /** For what an array parameter cannot hold an element of: sent as text, cast in the statement. */
  readonly cast: string | null;
  readonly encode: (entries: readonly LedgerEntryInsert[]) => string | Buffer;
};

type PlainName = {
  [Name in keyof LedgerEntryInsert]: LedgerEntryInsert[Name] extends string | number | bigint | boolean | null ? Name : never;
}[keyof LedgerEntryInsert];
type TextName = { [Name in PlainName]: LedgerEntryInsert[Name] extends string | null ? Name : never }[PlainName];

/** A column that no entry of the batch fills, as a third of them are, costs nothing: `unnest` makes up for a short array with nulls. */
const nothing = '{}';
const isUnused = (entries: readonly LedgerEntryInsert[], name: PlainName): boolean => entries.every((entry) => entry[name] === null);

const plain = (name: PlainName, type: string): Column => ({
  name,
  type,
  cast: null,
  encode: (entries) => (isUnused(entries, name) ? nothing : plainArray(entries.map((entry) => entry[name]))),
});
const text = (name: TextName): Column => ({
  name,
  type: 'text',
  cast: null,
  encode: (entries) => (isUnused(entries, name) ? nothing : textArray(entries.map((entry) => entry[name]))),
});
const bytes = (name: 'body' | 'body_hash'): Column => ({
  name,
  type: 'bytea',
  cast: null,
  encode: (entries) => byteaArray(entries.map((entry) => entry[name])),
});

/** Every column that an append fills, in the order of the statement's parameters. */
export const entryColumns: readonly Column[] = [
  plain('entry_id', 'uuid'),
  {
    name: 'occurred_at',
    type: 'timestamptz',
    cast: null,
    encode: (entries) => plainArray(entries.map((entry) => entry.occurred_at.toISOString())),
  },
  plain('kind', 'text'),
  plain('organization_id', 'uuid'),
  plain('request_id', 'uuid'),
  plain('api_key_id', 'uuid'),
  plain('team_id', 'uuid'),
  plain('user_id', 'uuid'),
  plain('service_account_id', 'uuid'),
  text('endpoint'),
  text('provider'),
  text('model'),
  text('model_requested'),
  plain('route_id', 'uuid'),
  plain('outcome', 'text'),
  plain('status', 'smallint'),
  text('error_code'),
  plain('stream', 'boolean'),
  plain('tokens_input', 'bigint'),
  plain('tokens_cache_read', 'bigint'),
  plain('tokens_cache_write_5m', 'bigint'),
  plain('tokens_cache_write_1h', 'bigint'),
  plain('tokens_input_audio', 'bigint'),
  plain('tokens_input_image', 'bigint'),
  plain('tokens_output', 'bigint'),
  plain('tokens_reasoning', 'bigint'),
  plain('tokens_output_audio', 'bigint'),
  plain('tokens_output_image', 'bigint'),
  plain('usage_source', 'text'),
  plain('cost', 'numeric'),
  text('price_version'),
  text('unrated'),
  plain('proxy_cost', 'numeric'),
  {
    name: 'flags',
    type: 'text',
    cast: 'text[]',
    encode: (entries) => textArray(entries.map(({ flags }) => (flags.length === 0 ? '{}' : textArray(flags)))),
  },
  {
    name: 'tags',
    type: 'text',
    cast: 'jsonb',
    encode: (entries) => textArray(entries.map(({ tags }) => JSON.stringify(tags))),
  },
  plain('first_byte_ms', 'double precision'),
  plain('total_ms', 'double precision'),
  plain('reverses', 'uuid'),
  text('reason'),
  plain('log_partition', 'integer'),
  plain('log_offset', 'bigint'),
  bytes('body'),
  bytes('body_hash'),
];
