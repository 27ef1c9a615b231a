import { describe, expect, test } from 'vitest';
import { uuidFromId } from '../../../../../schema/values/ids.ts';
import { isRetryable } from '../../../../../services/ledger/failures.ts';
import { topicName } from '../../posting.ts';
import { anId, recordOf, recordsOf, settledEvent, testCost } from '../../settled-records.ts';
import { anOrganization, assignTo, entriesOf, isBlocked, postTo } from './acts.ts';
import type { StoreWorld } from './store-world.ts';

const subject = { salt: 'ab'.repeat(16), endUser: 'alice@example.com', address: null, metadata: { ticket: '"42"' } };

/** A batch is one transaction, and every event is booked once. */
export function batchGuarantees(world: () => StoreWorld): void {
  const mixed = () => {
    const [first, second] = recordsOf(2, {}, { from: 1n });
    if (first === undefined || second === undefined) throw new Error('no records');
    return [recordOf(settledEvent(), { offset: 0n, subject }), first, second, { ...second, offset: 3n, value: Buffer.from('?') }];
  };

  describe('batches', () => {
    test('entries, rollups, personal data, dead letters and the offset commit together', async () => {
      const { ledger } = await world().connect();
      const tenure = await assignTo(ledger, 'owner');
      await postTo(ledger, mixed(), tenure);
      const { entries, deadLetters, subjects, offsets, rollups, waiting } = await world().look();
      expect(entries.map(({ offset }) => offset)).toEqual([0n, 1n, 2n]);
      expect(deadLetters).toMatchObject([{ offset: 3n, reason: 'unparseable' }]);
      expect(subjects).toEqual([entries[0]?.id]);
      expect(offsets).toMatchObject([{ nextOffset: 4n }]);
      for (const sums of Object.values(rollups)) expect(sums).toMatchObject({ requests: 3n, cost: 3n * testCost, input: 3_000n });
      expect(waiting).toBe(3);
    });

    test('work that fails leaves nothing of any of them', async () => {
      const { ledger } = await world().connect();
      const tenure = await assignTo(ledger, 'owner');
      const before = await world().look();
      const failing = postTo(ledger, mixed(), { ...tenure, beforeCommit: () => Promise.reject(new Error('thought better of it')) });
      await expect(failing).rejects.toThrow('thought better of it');
      await expect(world().look()).resolves.toEqual(before);
      await expect(postTo(ledger, mixed(), tenure)).resolves.toMatchObject({ duplicates: 0, alreadyDone: 0 });
    });

    test('a connection that ends before the commit leaves nothing, says that it may be tried again, and the next try finds a good one', async () => {
      const { ledger, endConnections } = await world().connect();
      const tenure = await assignTo(ledger, 'owner');
      const before = await world().look();
      const error: unknown = await postTo(ledger, mixed(), { ...tenure, beforeCommit: endConnections }).catch((caught: unknown) => caught);
      expect(isRetryable(error)).toBe(true);
      await expect(world().look()).resolves.toEqual(before);
      await expect(postTo(ledger, mixed(), tenure)).resolves.toMatchObject({ alreadyDone: 0 });
    });

    test('after a commit whose answer was lost, the same batch finds everything done', async () => {
      const { ledger, loseNextAnswer } = await world().connect();
      const tenure = await assignTo(ledger, 'owner');
      const records = mixed();
      const error: unknown = await postTo(ledger, records, { ...tenure, beforeCommit: loseNextAnswer }).catch((caught: unknown) => caught);
      expect(isRetryable(error)).toBe(true);
      const before = await world().look();
      expect(before.entries).toHaveLength(3);
      await expect(postTo(ledger, records, tenure)).resolves.toMatchObject({ posted: [], dead: [], duplicates: 0, alreadyDone: 4 });
      await expect(world().look()).resolves.toEqual(before);
    });

    test('nobody sees what is not committed', async () => {
      const { ledger } = await world().connect();
      const tenure = await assignTo(ledger, 'owner');
      const before = await world().look();
      await postTo(ledger, mixed(), {
        ...tenure,
        beforeCommit: async () => {
          await expect(world().look()).resolves.toEqual(before);
        },
      });
    });

    test('a refused statement spoils its transaction: where the error is swallowed, the commit is refused', async () => {
      const { ledger } = await world().connect();
      const [entry] = await entriesOf(ledger, recordsOf(1));
      if (entry === undefined) throw new Error('no entry');
      const swallowing = ledger.transaction(async (books) => {
        await books.insertEntries([entry]);
        await books.insertEntries([{ ...entry, body_hash: Buffer.alloc(3) }]).catch(() => {});
        await expect(books.insertEntries([entry])).rejects.toMatchObject({ code: '25P02' });
      });
      await expect(swallowing).rejects.toThrow('rolled back');
      expect((await world().look()).entries).toEqual([]);
    });

    test('an event that comes again is a duplicate, in the same batch, the next one, or another partition', async () => {
      const { ledger } = await world().connect();
      const tenure = await assignTo(ledger, 'owner');
      const elsewhere = await assignTo(ledger, 'owner', 1);
      const [record] = recordsOf(1);
      if (record === undefined) throw new Error('no record');
      await expect(postTo(ledger, [record, { ...record, offset: 1n }], tenure)).resolves.toMatchObject({ duplicates: 1 });
      const before = await world().look();
      await expect(postTo(ledger, [{ ...record, offset: 2n }], tenure)).resolves.toMatchObject({ posted: [], duplicates: 1, dead: [] });
      const moved = { ...record, partition: 1, offset: 0n };
      await expect(postTo(ledger, [moved], { ...elsewhere, partition: 1 })).resolves.toMatchObject({ posted: [] });
      const { entries, rollups } = await world().look();
      expect({ entries, rollups }).toEqual({ entries: before.entries, rollups: before.rollups });
    });

    test('an id with other bytes is seen for what it is, and the first stays', async () => {
      const { ledger } = await world().connect();
      const tenure = await assignTo(ledger, 'owner');
      const event = settledEvent();
      const first = recordOf(event, { offset: 0n });
      await postTo(ledger, [first], tenure);
      const before = await world().look();
      const twice = settledEvent();
      const outcome = await postTo(
        ledger,
        [
          recordOf({ ...event, status: 201 }, { offset: 1n }),
          recordOf(twice, { offset: 2n }),
          recordOf({ ...twice, endpoint: 'embeddings' }, { offset: 3n }),
        ],
        tenure,
      );
      expect(outcome.dead.map(({ reason, record }) => [reason, record.offset])).toEqual([
        ['id_reuse', 1n],
        ['id_reuse', 3n],
      ]);
      const { entries, deadLetters, rollups } = await world().look();
      expect(entries.map(({ offset }) => offset)).toEqual([0n, 2n]);
      expect(entries[0]).toEqual(before.entries[0]);
      expect(deadLetters.map(({ offset, reason }) => [offset, reason])).toEqual([
        [1n, 'id_reuse'],
        [3n, 'id_reuse'],
      ]);
      expect(rollups.day.requests).toBe(2n);
    });

    test.each([
      ['commits, the other passes over it and sees its bytes', true],
      ['fails, the other adds it', false],
    ])('of two transactions that add one id at once the second waits; where the first %s', async (_name, commits) => {
      const [first, second] = [await world().connect(), await world().connect()];
      const [entry] = await entriesOf(first.ledger, recordsOf(1));
      if (entry === undefined) throw new Error('no entry');
      await second.ledger.ensureRoom([entry.occurred_at.getTime()]);
      const other = { ...entry, body_hash: Buffer.alloc(32, 1), log_offset: 7n };
      const attempts: Promise<{ added: ReadonlySet<string>; hashes: ReadonlyMap<string, string> }>[] = [];
      const leading = first.ledger.transaction(async (books) => {
        await books.insertEntries([entry]);
        const attempt = second.ledger.transaction(async (otherBooks) => ({
          added: await otherBooks.insertEntries([other]),
          hashes: await otherBooks.readBodyHashes([other]),
        }));
        attempts.push(attempt);
        await isBlocked(world());
        if (!commits) throw new Error('gives up');
      });
      if (commits) await leading;
      else await expect(leading).rejects.toThrow('gives up');
      const kept = commits ? entry : other;
      await expect(attempts[0]).resolves.toEqual({
        added: new Set(commits ? [] : [entry.entry_id]),
        hashes: new Map([[entry.entry_id, kept.body_hash.toString('hex')]]),
      });
      expect((await world().look()).entries).toMatchObject([{ id: entry.entry_id, offset: kept.log_offset }]);
    });

    test('two that wait for each other: one is refused and may be tried again, the other goes on', async () => {
      const [left, right] = [await world().connect(), await world().connect()];
      await assignTo(left.ledger, 'left', 0);
      await assignTo(left.ledger, 'left', 1);
      const meet = Promise.withResolvers<void>();
      let arrived = 0;
      const take = (ledger: typeof left.ledger, partitions: readonly [number, number]) =>
        ledger.transaction(async (books) => {
          await books.lockOffsets(topicName, [partitions[0]]);
          if (++arrived === 2) meet.resolve();
          await meet.promise;
          await books.lockOffsets(topicName, [partitions[1]]);
        });
      const results = await Promise.allSettled([take(left.ledger, [0, 1]), take(right.ledger, [1, 0])]);
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const refused = results.find((result) => result.status === 'rejected');
      expect(isRetryable(refused?.reason)).toBe(true);
    });

    test('concurrent batches of one key add up in every grain, by tag too; what nobody reported stays unknown', async () => {
      const [left, right] = [await world().connect(), await world().connect()];
      const { organizationId, uuid } = anOrganization();
      await world().activateTags(uuid, ['project']);
      const who = { organizationId, apiKeyId: anId('apiKey'), tags: { project: 'atlas' } };
      const tenures = [await assignTo(left.ledger, 'left', 0), await assignTo(right.ledger, 'right', 1)];
      for (let turn = 0n; turn < 5n; turn++) {
        await Promise.all(
          [left, right].map(({ ledger }, partition) =>
            postTo(ledger, recordsOf(20, who, { from: turn * 20n, partition }), { epoch: tenures[partition]?.epoch ?? 0n, partition }),
          ),
        );
      }
      const { rollups, entries } = await world().look();
      expect(entries).toHaveLength(200);
      // Each counts once without a tag and once by its tag.
      for (const sums of Object.values(rollups)) expect(sums).toMatchObject({ requests: 400n, cost: 400n * testCost, input: 400_000n });
      const unknown = settledEvent({ usage: null, usageSource: null, costPico: null, unrated: 'usage_missing' });
      await postTo(left.ledger, [recordOf({ ...unknown, outcome: 'failed' }, { offset: 100n })], { epoch: tenures[0]?.epoch ?? 0n });
      expect((await world().look()).rollups.day).toMatchObject({ requests: 401n, input: 400_000n });
    });

    test('activated tags are those of the organizations asked for', async () => {
      const { ledger } = await world().connect();
      const [one, other, third] = [anOrganization(), anOrganization(), anOrganization()];
      await world().activateTags(one.uuid, ['project', 'team']);
      await world().activateTags(other.uuid, ['ticket']);
      const tags = await ledger.transaction((books) => books.readActivatedTags([one.uuid, third.uuid]));
      expect([...tags].map(([organization, keys]) => [organization, keys.toSorted()])).toEqual([[one.uuid, ['project', 'team']]]);
    });

    test('a place in the log has one dead letter, the first', async () => {
      const { ledger } = await world().connect();
      const letter = (offset: bigint, reason: string) => ({
        id: uuidFromId('request', anId('request')) ?? '',
        topic: topicName,
        partition: 0,
        offset,
        reason,
        detail: 'a detail',
        organizationId: null,
        key: 'key',
        headers: { name: 'value' },
        value: Buffer.from('bytes'),
      });
      await ledger.transaction((books) => books.insertDeadLetters([letter(1n, 'first'), letter(2n, 'first')]));
      await ledger.transaction((books) => books.insertDeadLetters([letter(2n, 'second'), letter(3n, 'second')]));
      const { deadLetters } = await world().look();
      expect(deadLetters.map(({ offset, reason }) => [offset, reason])).toEqual([
        [1n, 'first'],
        [2n, 'first'],
        [3n, 'second'],
      ]);
    });

    test('price sheets that are not there are left out', async () => {
      const { ledger } = await world().connect();
      const version = settledEvent().priceVersion ?? '';
      const sheets = await ledger.readPriceSheets(['pv_00000000000000000000000000000000', version]);
      expect(sheets.map((sheet) => sheet.version)).toEqual([version]);
    });
  });
}
