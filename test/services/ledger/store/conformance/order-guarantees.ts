import { describe, expect, test } from 'vitest';
import { recordOf, recordsOf, settledEvent } from '../../settled-records.ts';
import { anOrganization, assignTo, entriesOf, isBlocked, postTo, sequenceOn } from './acts.ts';
import type { Committed, StoreWorld } from './store-world.ts';

/** Positions of each organization are 0, 1, 2 …, and no item has two. */
function expectDense({ journal }: Committed): void {
  const next = new Map<string, bigint>();
  for (const { organizationId, position } of journal) {
    expect(position).toBe(next.get(organizationId) ?? 0n);
    next.set(organizationId, position + 1n);
  }
  expect(new Set(journal.map(({ id, kind }) => `${kind} ${id}`)).size).toBe(journal.length);
}

/** Positions: dense, in order, once, by one leader. */
export function orderGuarantees(world: () => StoreWorld): void {
  describe('order', () => {
    test('positions are dense from 0 on in each organization, in (partition, offset) order, round after round', async () => {
      const process = await world().connect();
      const organizations = [anOrganization(), anOrganization(), anOrganization()];
      for (const partition of [2, 1]) {
        const { epoch } = await assignTo(process.ledger, 'owner', partition);
        const records = Array.from({ length: 30 }, (_, index) =>
          recordOf(settledEvent({ organizationId: organizations[index % 3]?.organizationId ?? '' }), { offset: BigInt(index), partition }),
        );
        await postTo(process.ledger, records, { epoch, partition });
      }
      // Rounds smaller than what waits: each goes on where the last one ended.
      await expect(sequenceOn(process, 25)).resolves.toBe(25);
      await expect(sequenceOn(process, 25)).resolves.toBe(25);
      await expect(sequenceOn(process, 25)).resolves.toBe(10);
      await expect(sequenceOn(process, 25)).resolves.toBe(0);
      const committed = await world().look();
      expectDense(committed);
      expect(committed.waiting).toBe(0);
      const places = new Map(committed.entries.map(({ id, partition, offset }) => [id, `${partition}/${offset}`]));
      const ofOne = committed.journal.filter(({ organizationId }) => organizationId === organizations[1]?.uuid);
      const inOrder = [1, 2].flatMap((partition) => Array.from({ length: 10 }, (_, index) => `${partition}/${3 * index + 1}`));
      expect(ofOne.map(({ id }) => places.get(id))).toEqual(inOrder);
    });

    test('only what is committed is placed; what commits late comes after, and leaves no hole', async () => {
      const [slow, quick] = [await world().connect(), await world().connect()];
      const { organizationId } = anOrganization();
      const late = await assignTo(slow.ledger, 'slow', 0);
      const early = await assignTo(quick.ledger, 'quick', 1);
      // Of two keys: of one, the quick one would wait for the slow one's rollups.
      await postTo(slow.ledger, recordsOf(5, { organizationId }), {
        ...late,
        beforeCommit: async () => {
          await postTo(quick.ledger, recordsOf(5, { organizationId }, { partition: 1 }), { ...early, partition: 1 });
          await expect(sequenceOn(quick)).resolves.toBe(5);
        },
      });
      await expect(sequenceOn(quick)).resolves.toBe(5);
      const committed = await world().look();
      expectDense(committed);
      const partitions = new Map(committed.entries.map(({ id, partition }) => [id, partition]));
      expect(committed.journal.map(({ id }) => partitions.get(id))).toEqual([1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
    });

    test('audit events have their place in the same order', async () => {
      const process = await world().connect();
      const { organizationId, uuid } = anOrganization();
      const tenure = await assignTo(process.ledger, 'owner');
      await postTo(process.ledger, recordsOf(2, { organizationId }), tenure);
      const audits = [await world().addAudit(uuid, 'team.create'), await world().addAudit(uuid, 'team.update')];
      await sequenceOn(process);
      await postTo(process.ledger, recordsOf(1, { organizationId }, { from: 2n }), tenure);
      await sequenceOn(process);
      const committed = await world().look();
      expectDense(committed);
      expect(committed.journal.map(({ kind }) => kind)).toEqual(['audit', 'audit', 'entry', 'entry', 'entry']);
      expect(committed.journal.slice(0, 2).map(({ id }) => id)).toEqual(audits);
    });

    test('a round says how many it placed and how old the oldest was', async () => {
      const process = await world().connect();
      const tenure = await assignTo(process.ledger, 'owner');
      const records = recordsOf(3);
      const entries = await entriesOf(process.ledger, records);
      await postTo(process.ledger, records, tenure);
      const round = () => process.sequencer.session((session) => session.transaction((trx) => trx.placeOldest(10)));
      await expect(round()).resolves.toEqual({ sequenced: 3, oldestMs: Math.min(...entries.map((entry) => entry.occurred_at.getTime())) });
      await expect(round()).resolves.toEqual({ sequenced: 0, oldestMs: null });
    });

    test('a round that fails leaves everything as it was', async () => {
      const process = await world().connect();
      await postTo(process.ledger, recordsOf(5), await assignTo(process.ledger, 'owner'));
      const before = await world().look();
      const failing = (end: () => Promise<void>) =>
        process.sequencer.session((session) =>
          session.transaction(async (trx) => {
            await trx.placeOldest(10);
            await end();
          }),
        );
      await expect(failing(() => Promise.reject(new Error('thought better of it')))).rejects.toThrow('thought better of it');
      await expect(failing(process.endConnections)).rejects.toThrow();
      await expect(world().look()).resolves.toEqual(before);
      await expect(sequenceOn(process)).resolves.toBe(5);
    });

    test('a round whose commit was not answered is done once', async () => {
      const process = await world().connect();
      await postTo(process.ledger, recordsOf(5), await assignTo(process.ledger, 'owner'));
      const unanswered = process.sequencer.session((session) =>
        session.transaction(async (trx) => {
          await trx.placeOldest(10);
          process.loseNextAnswer();
        }),
      );
      await expect(unanswered).rejects.toThrow();
      await expect(sequenceOn(process)).resolves.toBe(0);
      const committed = await world().look();
      expect(committed.journal).toHaveLength(5);
      expectDense(committed);
    });

    test('two sequencers at once, without a leader, place nothing twice and fork nothing', async () => {
      const [owner, left, right] = [await world().connect(), await world().connect(), await world().connect()];
      const tenure = await assignTo(owner.ledger, 'owner');
      await postTo(owner.ledger, recordsOf(20), tenure);
      await postTo(owner.ledger, recordsOf(20, {}, { from: 20n }), tenure);
      const rivals: Promise<PromiseSettledResult<number>[]>[] = [];
      await left.sequencer.session((session) =>
        session.transaction(async (trx) => {
          await trx.placeOldest(30);
          const rival = sequenceOn(right, 30);
          await isBlocked(world());
          rivals.push(Promise.allSettled([rival]));
        }),
      );
      // It would have placed what the other one has: it breaks rather than count twice.
      expect((await rivals[0])?.[0]).toMatchObject({ status: 'rejected', reason: { code: '23505' } });
      while ((await world().look()).waiting > 0) await sequenceOn(right, 7);
      const committed = await world().look();
      expect(committed.journal).toHaveLength(40);
      expectDense(committed);
    });

    test('at most one session leads, until it stops or its connection ends', async () => {
      const [first, second] = [await world().connect(), await world().connect()];
      const tries = ({ sequencer }: typeof first) => sequencer.session((session) => session.tryToLead());
      await first.sequencer.session(async (session) => {
        await expect(session.tryToLead()).resolves.toBe(true);
        await expect(tries(second)).resolves.toBe(false);
        await session.stopLeading();
      });
      await second.sequencer.session(async (session) => {
        await expect(session.tryToLead()).resolves.toBe(true);
        await expect(tries(first)).resolves.toBe(false);
        await second.endConnections();
      });
      await expect(tries(first)).resolves.toBe(true);
    });
  });
}
