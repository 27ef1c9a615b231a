import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { byteaArray, plainArray, textArray } from '../../../services/journal/sql-array.ts';
import { createTestDatabase } from '../../harness/postgres.ts';

test('any texts, nulls and bytes arrive as they were sent', async () => {
  await using database = await createTestDatabase();
  const text = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\0', ''));
  const special = fc.constantFrom('', 'NULL', 'null', '{}', '{a,b}', '"', '\\', '\\"', ' , ', '\n\t', '{"x":"\\u00e9"}');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(fc.oneof(text, special)), { maxLength: 20 }),
      fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 20 }),
      fc.array(fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), { maxLength: 20 }),
      async (texts, bytes, numbers) => {
        const buffers = bytes.map((value) => Buffer.from(value));
        const { rows } = await sql<{
          texts: unknown;
          nested: unknown;
          bytes: Buffer[];
          numbers: unknown;
        }>`select ${textArray(texts)}::text[] as texts,
          (${textArray([textArray(texts)])}::text[])[1]::text[] as nested, ${byteaArray(buffers)}::bytea[] as bytes,
          ${plainArray(numbers)}::bigint[] as numbers`.execute(database.writer.db);
        expect(rows[0]).toEqual({ texts, nested: texts, bytes: buffers, numbers });
      },
    ),
    { numRuns: 100 },
  );
});
