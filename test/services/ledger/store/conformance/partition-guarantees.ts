import { describe, expect, test } from 'vitest';
import { topicName } from '../../posting.ts';
import { recordsOf } from '../../settled-records.ts';
import { assignTo, isBlocked, postTo } from './acts.ts';
import type { StoreWorld } from './store-world.ts';

/** Who owns a partition, and where it goes on. */
export function partitionGuarantees(world: () => StoreWorld): void {
  describe('partitions', () => {
    test('one seen for the first time begins at 0, and each owner goes on at the stored offset under the next epoch', async () => {
      const [first, second] = [await world().connect(), await world().connect()];
      const tenure = await assignTo(first.ledger, 'first');
      expect(tenure).toEqual({ epoch: 1n, nextOffset: 0n });
      await postTo(first.ledger, recordsOf(5), tenure);
      await expect(assignTo(second.ledger, 'second')).resolves.toEqual({ epoch: 2n, nextOffset: 5n });
      await expect(assignTo(first.ledger, 'first', 1)).resolves.toEqual({ epoch: 1n, nextOffset: 0n });
      const { offsets } = await world().look();
      expect(offsets).toEqual([
        { partition: 0, owner: 'second', epoch: 2n, nextOffset: 5n },
        { partition: 1, owner: 'first', epoch: 1n, nextOffset: 0n },
      ]);
    });

    test('a batch under an older epoch writes nothing', async () => {
      const [zombie, successor] = [await world().connect(), await world().connect()];
      const { epoch } = await assignTo(zombie.ledger, 'zombie');
      await assignTo(successor.ledger, 'successor');
      const before = await world().look();
      const garbage = recordsOf(1, {}, { from: 3n }).map((record) => ({ ...record, value: Buffer.from('?') }));
      const outcome = await postTo(zombie.ledger, [...recordsOf(3), ...garbage], { epoch });
      expect(outcome).toMatchObject({ posted: [], dead: [], fenced: [0] });
      await expect(world().look()).resolves.toEqual(before);
    });

    test('taking one over waits for the batch that holds it, and finds its offset', async () => {
      const [old, successor] = [await world().connect(), await world().connect()];
      const { epoch } = await assignTo(old.ledger, 'old');
      const claims: Promise<unknown>[] = [];
      await postTo(old.ledger, recordsOf(4), {
        epoch,
        beforeCommit: async () => {
          const claim = assignTo(successor.ledger, 'successor');
          claims.push(claim);
          await isBlocked(world());
        },
      });
      await expect(claims[0]).resolves.toEqual({ epoch: 2n, nextOffset: 4n });
    });

    test('a batch waits for whoever holds its partition, and finds what that one left', async () => {
      const [one, other] = [await world().connect(), await world().connect()];
      const tenure = await assignTo(one.ledger, 'one');
      let late: Promise<unknown> = Promise.resolve();
      await other.ledger.transaction(async (books) => {
        await books.lockOffsets(topicName, [0]);
        late = postTo(one.ledger, recordsOf(4), tenure);
        await isBlocked(world());
        await books.advanceOffsets(topicName, [{ partition: 0, epoch: tenure.epoch, nextOffset: 4n }], Date.now());
      });
      await expect(late).resolves.toMatchObject({ posted: [], alreadyDone: 4 });
    });

    test('an offset moves forward only, and only under its epoch', async () => {
      const { ledger } = await world().connect();
      await assignTo(ledger, 'first');
      const { epoch } = await assignTo(ledger, 'second');
      const advance = (to: bigint, under: bigint) =>
        ledger.transaction((books) => books.advanceOffsets(topicName, [{ partition: 0, epoch: under, nextOffset: to }], Date.now()));
      await expect(advance(10n, epoch)).resolves.toBe(1);
      await expect(advance(10n, epoch)).resolves.toBe(0);
      await expect(advance(9n, epoch)).resolves.toBe(0);
      await expect(advance(11n, epoch - 1n)).resolves.toBe(0);
      await expect(advance(11n, epoch + 1n)).resolves.toBe(0);
      expect((await world().look()).offsets).toMatchObject([{ nextOffset: 10n }]);
    });

    test('one that nobody took over is not there to be locked', async () => {
      const { ledger } = await world().connect();
      await assignTo(ledger, 'owner', 3);
      const locked = await ledger.transaction((books) => books.lockOffsets(topicName, [7, 3]));
      expect([...locked]).toEqual([[3, { epoch: 1n, nextOffset: 0n }]]);
    });

    test('the number of partitions of a topic is the one first recorded', async () => {
      const { ledger } = await world().connect();
      await expect(ledger.recordPartitions('a.v1', 12)).resolves.toBe(12);
      await expect(ledger.recordPartitions('a.v1', 13)).resolves.toBe(12);
      await expect(ledger.recordPartitions('b.v1', 3)).resolves.toBe(3);
    });
  });
}
