import { expect, test } from 'vitest';
import { eventually } from '../../../harness/eventually.ts';
import { createFaultyDisk } from '../../../harness/faulty-disk.ts';
import { temporaryFolder } from '../../../harness/temporary-folder.ts';
import { closed, idsOf, opened, openTestSpool, settle } from './spool-harness.ts';

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `req_${index}`);

test.each([
  ['ENOSPC', 0],
  ['ENOSPC', 37],
  ['EROFS', 0],
  ['EIO', 500],
])(
  'a disk that fails writes with %s after %d bytes: new requests are refused, running ones wait for it, nothing is lost',
  async (code, tornBytes) => {
    const directory = await temporaryFolder();
    const disk = createFaultyDisk();
    const { spool, producer } = await openTestSpool({ directory, disk });
    await Promise.all(ids(5).map((id) => opened(spool, id)));
    Object.assign(disk, { writeFault: code, tornBytes });
    const closing = Promise.all(ids(5).map((id) => closed(spool, id, 2_000)));
    let stored = false;
    const done = closing.then(() => {
      stored = true;
    });
    await eventually(() => !spool.state().writable);
    await expect(opened(spool, 'req_new')).rejects.toThrow('refused');
    expect(stored).toBe(false);
    disk.writeFault = null;
    await done;
    await eventually(() => spool.state().writable && spool.state().unsent === 0);
    expect(idsOf(producer.accepted)).toEqual(ids(5));
    await opened(spool, 'req_new');
    await spool.stop(1_000);
    const again = await openTestSpool({ directory });
    expect(again.spool.orphans.map(({ requestId }) => requestId)).toEqual(['req_new']);
    expect(again.producer.accepted).toEqual([]);
  },
);

test('a failed sync is not believed when the next one succeeds: what it covered is written again', async () => {
  const directory = await temporaryFolder();
  const disk = createFaultyDisk();
  const { spool, producer } = await openTestSpool({ directory, disk });
  producer.beforeAccept = () => new Promise(() => {});
  await settle(spool, 'req_before');
  disk.syncHeld = true;
  await Promise.all(ids(10).map((id) => settle(spool, id)));
  await opened(spool, 'req_open');
  disk.syncFault = 'EIO';
  disk.syncHeld = false;
  await eventually(() => !spool.state().writable);
  expect(producer.calls.flat().map((record) => record.headers.ce_id)).not.toContain('req_0');
  disk.syncFault = null;
  await eventually(() => spool.state().writable);
  await settle(spool, 'req_after');
  await spool.stop(100);

  const again = await openTestSpool({ directory });
  await eventually(() => again.spool.state().unsent === 0);
  expect(idsOf(again.producer.accepted)).toEqual(['req_before', ...ids(10), 'req_after']);
  expect(again.spool.orphans.map(({ requestId }) => requestId)).toEqual(['req_open']);
});

test('records moved by a failed sync are still read back for the sender', async () => {
  const disk = createFaultyDisk();
  const { spool, producer } = await openTestSpool({ directory: await temporaryFolder(), disk, segmentBytes: 1_000_000 });
  disk.syncHeld = true;
  // Beyond what is kept in memory for the sender, so that it has to read the disk.
  for (const id of ids(330)) await settle(spool, id, 60_000);
  disk.syncFault = 'EIO';
  disk.syncHeld = false;
  await eventually(() => !spool.state().writable);
  disk.syncFault = null;
  await eventually(() => spool.state().unsent === 0);
  expect(idsOf(producer.accepted)).toEqual(ids(330));
});

test('the sender ships nothing that is not synced', async () => {
  const disk = createFaultyDisk();
  const { spool, producer } = await openTestSpool({ directory: await temporaryFolder(), disk });
  disk.syncHeld = true;
  await Promise.all(ids(20).map((id) => settle(spool, id)));
  await eventually(() => disk.syncs > 0);
  await new Promise((resolve) => setImmediate(resolve));
  expect(producer.calls).toEqual([]);
  disk.syncHeld = false;
  await eventually(() => producer.accepted.length === 20);
});

test('strict: onWritten waits for the sync; group: it does not', async () => {
  for (const durability of ['strict', 'group'] as const) {
    const disk = createFaultyDisk();
    const { spool } = await openTestSpool({ directory: await temporaryFolder(), disk, durability });
    disk.syncHeld = true;
    let written = false;
    const done = opened(spool, 'req_1').then(() => {
      written = true;
    });
    await eventually(() => disk.syncs > 0);
    expect(written).toBe(durability === 'group');
    disk.syncHeld = false;
    await done;
  }
});

test('a disk that takes no new file lets the current segment go on', async () => {
  const disk = createFaultyDisk();
  const { spool, producer } = await openTestSpool({ directory: await temporaryFolder(), disk, segmentBytes: 5_000 });
  disk.createFault = 'ENOSPC';
  for (const id of ids(20)) await settle(spool, id, 1_000);
  await eventually(() => producer.accepted.length === 20);
});

test('group: a lone record is synced within a few milliseconds, and many share one sync', async () => {
  const disk = createFaultyDisk();
  const { spool } = await openTestSpool({ directory: await temporaryFolder(), disk });
  await eventually(() => disk.syncs === 1);
  await Promise.all(ids(300).map((id) => opened(spool, id)));
  await eventually(() => disk.syncs === 2);
});
