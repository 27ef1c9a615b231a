import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { mintUuid } from '../../../schema/values/ids.ts';
import type { ElementType } from '../../../services/journal/array-writer.ts';
import { ArrayWriter } from '../../../services/journal/array-writer.ts';
import { createTestDatabase } from '../../harness/postgres.ts';

const int8 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const money = fc.oneof(fc.bigInt({ min: -(10n ** 38n - 1n), max: 10n ** 38n - 1n }), fc.bigInt({ min: -20_000n, max: 20_000n }));
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\0', '')),
  fc.constantFrom('', 'NULL', '{}', '"', '\\', '\n'),
);
const time = fc.date({ min: new Date(0), max: new Date('2199-12-31T23:59:59.999Z'), noInvalidDate: true });
const uuid = fc.tuple(fc.nat(), fc.uint8Array({ minLength: 10, maxLength: 10 })).map(([time, entropy]) => mintUuid(time, entropy));
const row = fc.record({
  uuid: fc.option(uuid),
  time: fc.option(time),
  text: fc.option(text),
  int8: fc.option(int8),
  money: fc.option(money),
  double: fc.option(fc.double({ noNaN: true })),
  small: fc.option(fc.integer({ min: -32_768, max: 32_767 })),
  whole: fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  flag: fc.option(fc.boolean()),
  json: fc.option(fc.dictionary(fc.stringMatching(/^[a-z\u00e9]{1,9}$/), text, { noNullPrototype: true, maxKeys: 3 })),
});
type Row = typeof row extends fc.Arbitrary<infer Value> ? Value : never;
const whole: Row = {
  uuid: '0190d9a0-0000-7000-8000-00000000000a',
  time: new Date(1_795_000_000_123),
  // Longer than what the writer begins with.
  text: 'é'.repeat(50_000),
  int8: 1n,
  money: 10_000n,
  double: 0.1,
  small: -1,
  whole: -1,
  flag: true,
  json: { environment: 'été' },
};

function arrayOf<Value>(type: ElementType, values: readonly (Value | null)[], write: (writer: ArrayWriter, value: Value) => void): Buffer {
  const writer = new ArrayWriter();
  for (const value of values) {
    if (value === null) writer.null();
    else write(writer, value);
  }
  return writer.finish(type);
}

const arraysOf = (rows: readonly Row[]): Buffer[] => [
  arrayOf(
    'uuid',
    rows.map((one) => one.uuid),
    (writer, value) => writer.uuid(value),
  ),
  arrayOf(
    'timestamptz',
    rows.map((one) => one.time),
    (writer, value) => writer.instant(value),
  ),
  arrayOf(
    'text',
    rows.map((one) => one.text),
    (writer, value) => writer.text(value),
  ),
  arrayOf(
    'bigint',
    rows.map((one) => one.int8),
    (writer, value) => writer.bigint(value),
  ),
  arrayOf(
    'numeric',
    rows.map((one) => one.money),
    (writer, value) => writer.numeric(value),
  ),
  arrayOf(
    'double precision',
    rows.map((one) => one.double),
    (writer, value) => writer.double(value),
  ),
  arrayOf(
    'smallint',
    rows.map((one) => one.small),
    (writer, value) => writer.smallint(value),
  ),
  arrayOf(
    'integer',
    rows.map((one) => one.whole),
    (writer, value) => writer.integer(value),
  ),
  arrayOf(
    'boolean',
    rows.map((one) => one.flag),
    (writer, value) => writer.boolean(value),
  ),
  arrayOf(
    'jsonb',
    rows.map((one) => one.json),
    (writer, value) => writer.jsonb(JSON.stringify(value)),
  ),
];

test('values of every type, and nulls among them, arrive as they were written', async () => {
  await using database = await createTestDatabase();
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 8 }), async (some) => {
      // The last row has none of them null, so that every row comes back.
      const rows = [...some, whole];
      const [uuids, times, texts, int8s, moneys, doubles, smalls, wholes, flags, jsons] = arraysOf(rows);
      const { rows: found } = await sql<Row>`select unnest(${uuids}::uuid[]) as uuid, unnest(${times}::timestamptz[]) as time,
        unnest(${texts}::text[]) as text, unnest(${int8s}::bigint[]) as int8, unnest(${moneys}::numeric[]) as money,
        unnest(${doubles}::double precision[]) as double, unnest(${smalls}::smallint[]) as small, unnest(${wholes}::integer[]) as whole,
        unnest(${flags}::boolean[]) as flag, unnest(${jsons}::jsonb[]) as json`.execute(database.writer.db);
      expect(found).toEqual(rows);
    }),
    { numRuns: 20 },
  );
});

test('what does not fit its type is refused, and never becomes another value', () => {
  const writer = new ArrayWriter();
  const id = '0190d9a0-0000-7000-8000-00000000000';
  for (const write of [
    () => writer.smallint(32_768),
    () => writer.smallint(0.5),
    () => writer.integer(2 ** 31),
    () => writer.integer(Number.NaN),
    () => writer.bigint(2n ** 63n),
    () => writer.instant(new Date(Number.NaN)),
    () => writer.uuid(id),
    () => writer.uuid(`${id}00`),
    () => writer.uuid(`${id}g`),
    () => writer.uuid(`${id}\u0130`),
  ]) {
    expect(write).toThrow(RangeError);
  }
});
