import fc from 'fast-check';
import { expect, test } from 'vitest';
import { murmur2, partitionOf } from '../../../services/eventlog/partition.ts';

// Vectors of Kafka's own UtilsTest.testMurmur2.
test.each<[string, number]>([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('hashes %s as Kafka does', (key, expected) => {
  expect(murmur2(Buffer.from(key))).toBe(expected);
});

test('a key always has the same partition, and it exists', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 1000 }), (key, partitions) => {
      const partition = partitionOf(key, partitions);
      expect(partition).toBe(partitionOf(key, partitions));
      expect(partition >= 0 && partition < partitions && Number.isInteger(partition)).toBe(true);
    }),
  );
});

test('keys spread over all partitions', () => {
  const counts = Array.from({ length: 12 }, () => 0);
  for (let index = 0; index < 12_000; index++) counts[partitionOf(`key_${index}`, 12)]! += 1;
  expect(Math.min(...counts)).toBeGreaterThan(800);
});
