import { expect, test } from 'vitest';
import { REQUESTS_TOPIC } from '../../../../schema/events/topics.ts';
import { openSpool } from '../../../../services/eventlog/spool/open-spool.ts';
import { eventually } from '../../../harness/eventually.ts';
import { recordingLog } from '../../../harness/recording-log.ts';
import { seededRandom } from '../../../harness/seeded-random.ts';
import type { VolatileDisk } from '../../../harness/volatile-disk.ts';
import { createVolatileDisk } from '../../../harness/volatile-disk.ts';
import { eventOf } from './spool-harness.ts';

/** A process with this spool; it is ended by what is done to its disk. */
function boot(disk: VolatileDisk, epoch: number, shipped: string[]) {
  return openSpool({
    directory: '/spool',
    durability: 'group',
    log: recordingLog(),
    disk,
    random: seededRandom(epoch),
    lock: async () => ({ epoch, claimNext: async () => epoch + 1, hasLater: async () => false, release: async () => {} }),
    sender: {
      topic: REQUESTS_TOPIC,
      producer: {
        append: async (_topic, records) => {
          shipped.push(...records.map(({ headers }) => headers.ce_id ?? ''));
          throw new Error('the answer is lost');
        },
        close: async () => {},
      },
    },
  });
}

/** What is in the event log must not come back as an orphan (found by seed 159 of the simulation). */
test('what only the cache still holds after a failed sync is written again before it is shipped', async () => {
  let syncs = 0;
  const observer = {
    written: () => {},
    lied: () => {},
    failed: () => {},
    durable: () => {
      syncs += 1;
    },
  };
  let disk = createVolatileDisk(seededRandom(1), { observer });
  const first = await boot(disk, 1, []);
  const before = syncs;
  expect(first.open('req_1', 'draft', () => {})).toBe(true);
  await eventually(() => syncs > before);
  first.close('req_1', eventOf('req_1'), () => {
    // Written and not synced: the sync fails now, and so does every new file.
    disk.faults = 1;
  });
  await eventually(() => !first.state().writable);
  disk = disk.kill();
  const shipped: string[] = [];
  const second = await boot(disk, 2, shipped);
  expect(second.orphans).toEqual([]);
  await eventually(() => shipped.includes('req_1'));
  const third = await boot(disk.powerCut(), 3, []);
  expect(third.orphans).toEqual([]);
});
