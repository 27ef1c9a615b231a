import { expect, test } from 'vitest';
import type { Carried } from '../../../../services/eventlog/spool/carried.ts';
import { temporaryFolder } from '../../../harness/temporary-folder.ts';
import { closed, opened, openTestSpool, settleMany } from './spool-harness.ts';

/** Counts the bytes of what was closed, in two parts. */
function countingCarried(): Carried & { total: number } {
  const carried = {
    total: 0,
    write: () => [Buffer.from(String(carried.total)), Buffer.from('the rest')],
    read: ([first]: readonly Buffer[]) => {
      carried.total = Number(first);
    },
    closed: ({ value }: { readonly value: Buffer }) => {
      carried.total += value.length;
    },
  };
  return carried;
}

test('what is carried outlives the records it was made of, and none of them counts twice', async () => {
  const directory = await temporaryFolder();
  let expected = 0;
  let carried = countingCarried();
  for (let boot = 0; boot < 3; boot++) {
    const { spool } = await openTestSpool({ directory, carried, segmentBytes: 2_000 });
    expect(carried.total).toBe(expected);
    // As its owner does it: with each record that it closes.
    const before = carried;
    const close = async (requestId: string): Promise<void> => {
      await opened(spool, requestId);
      const done = closed(spool, requestId, 100);
      before.total += 100;
      await done;
    };
    for (let count = 0; count < 60; count++) await close(`req_${boot}_${count}`);
    expected += 6_000;
    await spool.stop(1_000);
    expect(spool.state().bytes).toBeLessThan(12_000);
    carried = countingCarried();
  }
  await openTestSpool({ directory, carried });
  expect(carried.total).toBe(expected);
});

test('a spool says which boots left what it holds, and whether they stopped in order', async () => {
  const directory = await temporaryFolder();
  const first = await openTestSpool({ directory, machineBoot: 'monday' });
  expect(first.spool.boots).toEqual([]);
  await settleMany(first.spool, 2, 2, 64);
  await first.spool.stop(1_000);
  const second = await openTestSpool({ directory, machineBoot: 'tuesday' });
  expect(second.spool.boots).toEqual([{ epoch: 1, machineBoot: 'monday', clean: true }]);
});

test('an epoch that was claimed is nobody else’s', async () => {
  const directory = await temporaryFolder();
  const first = await openTestSpool({ directory });
  expect(await first.spool.hasLaterEpoch()).toBe(false);
  expect(await first.spool.claimNextEpoch()).toBe(2);
  expect(await first.spool.hasLaterEpoch()).toBe(true);
  await expect(openTestSpool({ directory })).rejects.toThrow('Another process uses');
  await first.spool.stop(1_000);
  const second = await openTestSpool({ directory });
  expect(second.spool.state().epoch).toBe(3);
});
