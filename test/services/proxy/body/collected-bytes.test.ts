import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CollectedBytes } from '../../../../services/proxy/body/collected-bytes.ts';

const fresh = (bytes: number, value: number): Buffer => Buffer.alloc(bytes, value);

test('what comes in pieces is in one piece at every moment, whatever was announced', () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(pieces, fc.integer({ min: 0, max: 1_500_000 }), (lengths, announced) => {
      const collected = new CollectedBytes(announced);
      let expected = Buffer.alloc(0);
      lengths.forEach((length, index) => {
        collected.add(fresh(length, index + 1));
        expected = Buffer.concat([expected, fresh(length, index + 1)]);
        expect(collected.bytes.equals(expected)).toBe(true);
      });
    }),
    { numRuns: 30 },
  );
});

test('a body that comes at once is what came, without a copy', () => {
  const collected = new CollectedBytes(5);
  const chunk = Buffer.from('whole');
  collected.add(chunk);
  expect(collected.bytes).toBe(chunk);
});

test('the memory of a chunk is given back when its bytes have their place, but not that of others beside it', () => {
  const collected = new CollectedBytes(0);
  const shared = new ArrayBuffer(65_536);
  const chunks = [fresh(32_768, 1), fresh(32_768, 2), Buffer.from(shared, 0, 32_768).fill(3)];
  for (const chunk of chunks) collected.add(chunk);
  expect(chunks.map(({ buffer }) => buffer.byteLength)).toEqual([0, 0, 65_536]);
  expect([0, 32_768, 65_536].map((at) => collected.bytes[at])).toEqual([1, 2, 3]);
});

test('an announcement takes no room before an eighth of it came', () => {
  const collected = new CollectedBytes(32_000_000);
  for (let count = 0; count < 10; count += 1) collected.add(fresh(10_000, 1));
  expect(collected.bytes.buffer.byteLength).toBe(262_144);
});

test('nothing is left of what is cleared', () => {
  const collected = new CollectedBytes(0);
  collected.add(fresh(10, 1));
  collected.clear();
  expect([collected.bytes.length, collected.length]).toEqual([0, 0]);
});
