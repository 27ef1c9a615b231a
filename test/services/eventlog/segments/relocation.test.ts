import { expect, test } from 'vitest';
import type { Disk } from '../../../../services/eventlog/disk.ts';
import { createSegmentedLog } from '../../../../services/eventlog/segments/create-segmented-log.ts';
import { eventually } from '../../../harness/eventually.ts';
import { recordingLog } from '../../../harness/recording-log.ts';
import { seededRandom } from '../../../harness/seeded-random.ts';

/** A disk whose syncs are answered by hand and whose writes can be made to fail. */
function heldDisk() {
  const syncs: { readonly succeed: () => void; readonly fail: () => void }[] = [];
  const held = { failing: false, files: 0, syncs };
  const disk: Disk = {
    makeDirectory: async () => {},
    list: async () => [],
    create: async () => {
      held.files += 1;
      return {
        write: () => {
          if (held.failing) throw new Error('ENOSPC');
        },
        sync: () =>
          new Promise((resolve, reject) => {
            syncs.push({ succeed: resolve, fail: () => reject(new Error('EIO')) });
          }),
        read: async () => Buffer.alloc(0),
        close: async () => {},
      };
    },
    open: () => Promise.reject(new Error('ENOENT')),
    readFile: async () => Buffer.alloc(0),
    copy: async () => {},
    truncate: async () => {},
    rewrite: async () => {},
    remove: async () => {},
    syncDirectory: async () => {},
  };
  return { disk, held };
}

/** Found by seed 11 of the simulation, with syncs of up to 100 ms. */
test('a sync that fails while what it should have covered is being written again starts no second relocation', async () => {
  const { disk, held } = heldDisk();
  const due: (() => void)[] = [];
  const runDue = (): void => {
    for (const run of due.splice(0)) run();
  };
  const log = await createSegmentedLog(
    {
      disk,
      directory: '/log',
      timers: {
        endOfTurn: (run) => void due.push(run),
        after: (_delayMs, run) => {
          due.push(run);
          return () => {};
        },
      },
      random: seededRandom(1),
      log: recordingLog(),
      segmentBytes: 4_096,
      syncDelayMs: 0,
      header: () => Buffer.from('{}'),
      onRotated: () => {},
      onSynced: () => {},
    },
    { segments: [], nextNumber: 1, nextSequence: 1, damage: [] },
  );
  const durable: string[] = [];
  const append = (name: string): void => {
    log.append(1, Buffer.from(name));
    log.whenSynced(() => durable.push(name));
  };

  append('first');
  runDue();
  await eventually(() => held.syncs.length === 1);
  // A write fails while that sync runs; the relocation waits for it, and it fails.
  held.failing = true;
  append('second');
  runDue();
  runDue();
  held.failing = false;
  held.syncs[0]?.fail();
  await eventually(() => {
    runDue();
    return held.syncs.length === 2;
  });
  // Every timer has run by now, and only one new file was made.
  runDue();
  await new Promise((resolve) => setImmediate(resolve));
  runDue();
  await new Promise((resolve) => setImmediate(resolve));
  expect(held.files).toBe(2);
  held.syncs[1]?.succeed();
  await eventually(() => durable.length === 2);
  // What comes afterwards waits for a sync of its own.
  append('third');
  runDue();
  await eventually(() => held.syncs.length === 3);
  expect(durable).toEqual(['first', 'second']);
  expect(log.syncedSequence).toBeLessThan(log.lastSequence);
  held.syncs[2]?.succeed();
  await eventually(() => durable.length === 3);
});
