import { expect, test } from 'vitest';
import type { Topic } from '../../../../schema/events/topics.ts';
import type { Journal } from '../../../../services/eventlog/embedded/journal.ts';
import { openJournal } from '../../../../services/eventlog/embedded/journal.ts';
import { encodeRecord } from '../../../../services/eventlog/record-codec.ts';
import { systemTimers } from '../../../../services/eventlog/timers.ts';
import { systemClock } from '../../../../services/runtime/clock.ts';
import { recordingLog } from '../../../harness/recording-log.ts';
import { seededRandom } from '../../../harness/seeded-random.ts';
import type { VolatileDisk } from '../../../harness/volatile-disk.ts';
import { createVolatileDisk } from '../../../harness/volatile-disk.ts';

const topic: Topic = { name: 'turnpike.test.v1', partitions: 3, key: 'apiKeyId' };

function open(disk: VolatileDisk, seed: number): Promise<Journal> {
  return openJournal({
    topic,
    directory: '/log',
    disk,
    clock: systemClock,
    timers: systemTimers,
    random: seededRandom(seed),
    log: recordingLog(),
    maxBytes: 10_000_000,
    retentionBytes: 5_000,
    retentionMs: 3_600_000,
    segmentBytes: 3_000,
  });
}

test('whatever was acknowledged has its offset for ever, through kills, power cuts and a failing disk', { timeout: 120_000 }, async () => {
  let acknowledgedInAll = 0;
  for (let seed = 1; seed <= 25; seed++) {
    const random = seededRandom(seed);
    let disk = createVolatileDisk(random);
    /** By partition and offset: what an acknowledgement or a reader was told. */
    const told = new Map<string, string>();
    const released = [0, 0, 0];
    for (let boot = 1; boot <= 4; boot++) {
      disk.faults = 0;
      const journal = await open(disk, seed * 7 + boot);
      for (const [partition, offset] of released.entries()) journal.release(partition, BigInt(offset));
      for (let partition = 0; partition < topic.partitions; partition++) {
        const { earliest, next } = journal.offsets(partition);
        expect(Number(earliest), `seed ${seed}`).toBeLessThanOrEqual(released[partition] ?? 0);
        const records = await journal.read(partition, earliest, 10_000, 100_000_000);
        const found = new Map(records.map(({ offset, value }) => [`${partition}/${offset}`, value.toString()]));
        for (const [place, value] of told) {
          if (place.startsWith(`${partition}/`) && Number(place.slice(2)) >= Number(earliest))
            expect(found.get(place), `seed ${seed} ${place}`).toBe(value);
        }
        for (const [place, value] of found) told.set(place, value);
        if (random.fraction() < 0.5) released[partition] = Number(next);
      }
      disk.faults = seed % 3 === 0 ? 0.03 : 0;
      const next = [0, 1, 2].map((partition) => Number(journal.offsets(partition).next));
      for (let turn = 5 + random.below(40); turn > 0; turn--) {
        if (journal.refusal() === null) {
          const batch = Array.from({ length: 1 + random.below(4) }, (_, index) => {
            const partition = random.below(topic.partitions);
            const value = Buffer.from(`${boot} ${turn} ${index} ${'x'.repeat(random.below(300))}`);
            const record = { key: `key_${partition}`, partition, headers: {}, value };
            const offset = next[partition] ?? 0;
            next[partition] = offset + 1;
            return { place: `${partition}/${offset}`, encoded: { record, bytes: encodeRecord(record, 0) } };
          });
          journal.append(
            batch.map(({ encoded }) => encoded),
            () => {
              for (const { place, encoded } of batch) told.set(place, encoded.record.value.toString());
              acknowledgedInAll += batch.length;
            },
          );
        }
        await new Promise((resolve) => (random.fraction() < 0.3 ? setTimeout(resolve, random.below(3)) : setImmediate(resolve)));
      }
      disk = random.fraction() < 0.3 && disk.faults === 0 ? disk.kill() : disk.powerCut();
    }
  }
  expect(acknowledgedInAll).toBeGreaterThan(1_000);
});
