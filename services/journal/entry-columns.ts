import type { Insertable } from 'kysely';
import type { LedgerEntryTable } from '../../schema/tables/ledger-entry.table.ts';
import type { ElementType } from './array-writer.ts';
import { ArrayWriter } from './array-writer.ts';
import { byteaArray, textArray } from './sql-array.ts';

/** An entry as it is appended; the database says when it was recorded. */
export type LedgerEntryInsert = Readonly<Required<Omit<Insertable<LedgerEntryTable>, 'recorded_at'>>>;

type Column = {
  readonly name: keyof LedgerEntryInsert;
  /** Of the array parameter's elements. */
  readonly type: ElementType | 'bytea';
  /** For what an array parameter cannot hold an element of: sent as text, cast in the statement. */
  readonly cast: string | null;
  readonly encode: (writer: ArrayWriter, entries: readonly LedgerEntryInsert[]) => Buffer;
};

type NameOf<Value> = {
  [Name in keyof LedgerEntryInsert]: LedgerEntryInsert[Name] extends Value | null ? Name : never;
}[keyof LedgerEntryInsert];

function column<Name extends keyof LedgerEntryInsert>(
  name: Name,
  type: ElementType,
  writeValue: (writer: ArrayWriter, value: NonNullable<LedgerEntryInsert[Name]>) => void,
  cast: string | null = null,
): Column {
  return {
    name,
    type,
    cast,
    encode: (writer, entries) => {
      for (const entry of entries) {
        const value = entry[name];
        if (value === null) writer.null();
        else writeValue(writer, value);
      }
      return writer.finish(type);
    },
  };
}

const uuid = (name: NameOf<string>): Column => column(name, 'uuid', (writer, value) => writer.uuid(value));
const text = (name: NameOf<string>): Column => column(name, 'text', (writer, value) => writer.text(value));
const bigint = (name: NameOf<bigint>): Column => column(name, 'bigint', (writer, value) => writer.bigint(value));
const numeric = (name: NameOf<bigint>): Column => column(name, 'numeric', (writer, value) => writer.numeric(value));
const double = (name: NameOf<number>): Column => column(name, 'double precision', (writer, value) => writer.double(value));
const bytea = (name: NameOf<Buffer>): Column => ({
  name,
  type: 'bytea',
  cast: null,
  encode: (_writer, entries) => byteaArray(entries.map((entry) => entry[name])),
});

/** Every column that an append fills, in the order of the statement's parameters. */
export const entryColumns: readonly Column[] = [
  uuid('entry_id'),
  column('occurred_at', 'timestamptz', (writer, value) => writer.instant(value)),
  text('kind'),
  uuid('organization_id'),
  uuid('request_id'),
  uuid('api_key_id'),
  uuid('team_id'),
  uuid('user_id'),
  uuid('service_account_id'),
  text('endpoint'),
  text('provider'),
  text('model'),
  text('model_requested'),
  uuid('route_id'),
  text('outcome'),
  column('status', 'smallint', (writer, value) => writer.smallint(value)),
  text('error_code'),
  column('stream', 'boolean', (writer, value) => writer.boolean(value)),
  bigint('tokens_input'),
  bigint('tokens_cache_read'),
  bigint('tokens_cache_write_5m'),
  bigint('tokens_cache_write_1h'),
  bigint('tokens_input_audio'),
  bigint('tokens_input_image'),
  bigint('tokens_output'),
  bigint('tokens_reasoning'),
  bigint('tokens_output_audio'),
  bigint('tokens_output_image'),
  text('usage_source'),
  numeric('cost'),
  text('price_version'),
  text('unrated'),
  numeric('proxy_cost'),
  column('flags', 'text', (writer, value) => writer.text(value.length === 0 ? '{}' : textArray(value)), 'text[]'),
  column('tags', 'jsonb', (writer, value) => writer.jsonb(JSON.stringify(value))),
  double('first_byte_ms'),
  double('total_ms'),
  uuid('reverses'),
  text('reason'),
  column('log_partition', 'integer', (writer, value) => writer.integer(value)),
  bigint('log_offset'),
  bytea('body'),
  bytea('body_hash'),
];

/** The parameters of an append in the order of {@link entryColumns}: an array for each. */
export function entryParameters(entries: readonly LedgerEntryInsert[]): Buffer[] {
  const writer = new ArrayWriter();
  return entryColumns.map(({ encode }) => encode(writer, entries));
}
