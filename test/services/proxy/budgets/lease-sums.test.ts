import { expect, test } from 'vitest';
import { encodeRequestSettled } from '../../../../schema/events/request-settled-serializer.ts';
import { MAX_CARRIED_BYTES } from '../../../../services/eventlog/spool/spool-record.ts';
import { createLeaseSums } from '../../../../services/proxy/budgets/lease-sums.ts';
import { settledRequest } from '../../../harness/settled-request.ts';
import { anId } from '../../ledger/settled-records.ts';

const day = 86_400_000;
const node = anId('node');
const counterOf = (number: number): string => `00000000-0000-8000-8000-${number.toString().padStart(12, '0')}`;
const recordOf = (changes: Parameters<typeof settledRequest>[0]) =>
  encodeRequestSettled(settledRequest({ node, ...changes }), { source: '/s', partition: 1, timeMs: 1, subject: null });

test('sums are read as they were written, however many, in parts that a frame takes', () => {
  const sums = createLeaseSums(node);
  for (let number = 0; number < 5_000; number++) sums.add(counterOf(number), 7, 10n ** 30n + BigInt(number), 1_795_000_000_000);
  sums.tear(6);
  const parts = sums.write();
  expect(Math.max(...parts.map(({ length }) => length))).toBeLessThan(MAX_CARRIED_BYTES);
  const again = createLeaseSums(node);
  again.read(parts);
  expect(again.finals(8)).toEqual(sums.finals(8));
  expect([again.finals(8).length, again.finals(7), again.torn()]).toEqual([5_000, [], [6]]);
});

test('what was closed after they were written is added, under the epoch that held it', () => {
  const sums = createLeaseSums(node);
  sums.add(counterOf(1), 3, 5n, 1);
  const again = createLeaseSums(node);
  again.read(sums.write());
  const hold = { counter: counterOf(1), hold: '9', debit: '4', cost: '4' };
  again.closed(recordOf({ epoch: 3, holds: [hold] }));
  again.closed(recordOf({ epoch: 4, holds: [hold, { ...hold, counter: counterOf(2), debit: '0' }] }));
  again.closed(recordOf({ epoch: 4, holds: [] }));
  expect(again.finals(5)).toEqual([
    { counter: counterOf(1), epoch: 3, final: 9n },
    { counter: counterOf(1), epoch: 4, final: 4n },
    { counter: counterOf(2), epoch: 4, final: 0n },
  ]);
});

test('epochs that are over are forgotten after 35 days, and the one that runs is not', () => {
  const sums = createLeaseSums(node);
  sums.add(counterOf(1), 3, 5n, 0);
  sums.add(counterOf(1), 4, 6n, 0);
  sums.prune(4, 35 * day);
  expect(sums.finals(5)).toHaveLength(2);
  sums.prune(4, 35 * day + 1);
  expect(sums.finals(5)).toEqual([{ counter: counterOf(1), epoch: 4, final: 6n }]);
});

test('the sum of a closed lease is told to a restored database, and forgotten as those of epochs that are over', () => {
  const sums = createLeaseSums(node);
  for (const number of [1, 2]) sums.add(counterOf(number), 4, 5n, 0);
  sums.close(counterOf(1), 4);
  const again = createLeaseSums(node);
  again.read(sums.write());
  expect(again.closedOf(4)).toEqual([{ counter: counterOf(1), epoch: 4, final: 5n }]);
  again.prune(4, 36 * day);
  expect([again.closedOf(4), again.finals(5)]).toEqual([[], [{ counter: counterOf(2), epoch: 4, final: 5n }]]);
});

test('of sums that are over only the youngest 20,000 are kept', () => {
  const sums = createLeaseSums(node);
  for (let number = 0; number < 20_005; number++) sums.add(counterOf(number), 3, 1n, number);
  sums.prune(4, 20_005);
  const left = sums.finals(4);
  expect([left.length, left.some(({ counter }) => counter === counterOf(4)), left.some(({ counter }) => counter === counterOf(5))]).toEqual(
    [20_000, false, true],
  );
});

test('what is none of ours is not taken for nothing spent', () => {
  expect(() => createLeaseSums(node).read([Buffer.from('{"torn":[],"sums":[{"counter":"c","epoch":1,"spent":"-1","atMs":0}]}')])).toThrow(
    TypeError,
  );
});

test('of what the proxy of a folder spent under another name nothing is said', () => {
  const before = createLeaseSums(anId('node'));
  before.add(counterOf(1), 3, 5n, 1);
  before.tear(2);
  const sums = createLeaseSums(node);
  sums.read(before.write());
  const holds = [{ counter: counterOf(1), hold: '4', debit: '4', cost: '4' }];
  sums.closed(recordOf({ node: anId('node'), epoch: 3, holds }));
  sums.orphaned(settledRequest({ node: anId('node'), epoch: 3, holds }), 1);
  expect([sums.finals(9), sums.torn()]).toEqual([[], []]);
  sums.orphaned(settledRequest({ node, epoch: 4, holds }), 1);
  expect(sums.finals(9)).toEqual([{ counter: counterOf(1), epoch: 4, final: 4n }]);
});

test('sums that a version wrote which knew one name only are read as those of this proxy', () => {
  const sums = createLeaseSums(node);
  sums.read([Buffer.from(JSON.stringify({ torn: [2], sums: [{ counter: counterOf(1), epoch: 3, spent: '5', atMs: 1, closed: false }] }))]);
  expect([sums.finals(4), sums.torn()]).toEqual([[{ counter: counterOf(1), epoch: 3, final: 5n }], [2]]);
});
