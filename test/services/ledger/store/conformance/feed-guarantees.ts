import { describe, expect, test } from 'vitest';
import { eventually } from '../../../../harness/eventually.ts';
import { recordsOf } from '../../settled-records.ts';
import { anOrganization, assignTo, entriesOf, postTo, sequenceOn } from './acts.ts';
import type { ProcessStores, StoreWorld } from './store-world.ts';

const unaborted = new AbortController().signal;

/** What streams read. */
export function feedGuarantees(world: () => StoreWorld): void {
  async function booked(count: number, organizationId: string): Promise<ProcessStores> {
    const process = await world().connect();
    await postTo(process.ledger, recordsOf(count, { organizationId }), await assignTo(process.ledger, 'owner'));
    return process;
  }

  describe('feed', () => {
    test('the head is the last position given out, -1 where there is none', async () => {
      const { organizationId, uuid } = anOrganization();
      const process = await booked(3, organizationId);
      const pages = process.feed.of(uuid, unaborted);
      await expect(pages.head()).resolves.toBe(-1n);
      await expect(pages.page(-1n, 10)).resolves.toEqual([]);
      await sequenceOn(process, 2);
      await expect(pages.head()).resolves.toBe(1n);
      await sequenceOn(process);
      await expect(pages.head()).resolves.toBe(2n);
      await expect(process.feed.of(anOrganization().uuid, unaborted).head()).resolves.toBe(-1n);
    });

    test('pages of any size give the same items in the same order without a gap, also while more is placed', async () => {
      const { organizationId, uuid } = anOrganization();
      const process = await booked(40, organizationId);
      const pages = process.feed.of(uuid, unaborted);
      await sequenceOn(process, 20);
      const once = await pages.page(-1n, 100);
      const bySeven: (typeof once)[number][] = [];
      for (let page = await pages.page(-1n, 7); page.length > 0; page = await pages.page(bySeven.at(-1)?.position ?? -1n, 7)) {
        bySeven.push(...page);
        await sequenceOn(process, 3);
      }
      expect(bySeven.map(({ position }) => position)).toEqual(bySeven.map((_, index) => BigInt(index)));
      expect(bySeven.slice(0, 20)).toEqual(once);
      expect(bySeven).toHaveLength(40);
    });

    test('an item is the entry as it was posted, or what an audit event tells', async () => {
      const { organizationId, uuid } = anOrganization();
      const process = await world().connect();
      const records = recordsOf(1, { organizationId, tags: { project: 'atlas' }, usageFlags: ['total_mismatch'] });
      const [entry] = await entriesOf(process.ledger, records);
      if (entry === undefined) throw new Error('no entry');
      const auditId = await world().addAudit(uuid, 'team.create');
      await postTo(process.ledger, records, await assignTo(process.ledger, 'owner'));
      await sequenceOn(process);
      const [audit, usage] = await process.feed.of(uuid, unaborted).page(-1n, 10);
      expect(audit).toMatchObject({ position: 0n, usage: null });
      expect(audit?.audit).toMatchObject({ id: auditId, action: 'team.create', targets: [{ type: 'team', id: 'team_1' }] });
      const { body: _body, body_hash: _hash, log_partition: _partition, log_offset: _offset, ...row } = entry;
      expect(usage).toMatchObject({ position: 1n, audit: null });
      expect(usage?.usage).toEqual({ ...row, recorded_at: expect.any(Date) });
    });

    test('a page of audit events passes over entries, within its range', async () => {
      const { organizationId, uuid } = anOrganization();
      const process = await booked(2, organizationId);
      await sequenceOn(process);
      for (const action of ['team.create', 'team.update', 'team.archive']) await world().addAudit(uuid, action);
      await sequenceOn(process);
      const pages = process.feed.of(uuid, unaborted);
      const actions = async (after: bigint, upTo: bigint, limit: number) =>
        (await pages.pageOf('audit', { after, upTo }, limit)).map(({ position, audit }) => [position, audit?.action]);
      await expect(actions(-1n, 1n, 10)).resolves.toEqual([]);
      await expect(actions(-1n, 4n, 2)).resolves.toEqual([
        [2n, 'team.create'],
        [3n, 'team.update'],
      ]);
      await expect(actions(2n, 3n, 10)).resolves.toEqual([[3n, 'team.update']]);
    });

    test('an organization sees its own journal only', async () => {
      const [one, other] = [anOrganization(), anOrganization()];
      const process = await world().connect();
      const tenure = await assignTo(process.ledger, 'owner');
      await postTo(process.ledger, recordsOf(3, { organizationId: one.organizationId }), tenure);
      await postTo(process.ledger, recordsOf(2, { organizationId: other.organizationId }, { from: 3n }), tenure);
      await sequenceOn(process);
      const items = await process.feed.of(other.uuid, unaborted).page(-1n, 10);
      expect(items.map(({ usage }) => usage?.organization_id)).toEqual([other.uuid, other.uuid]);
    });

    test('listeners are woken by a commit that says so, not by one that does not or fails, and told when they may have missed one', async () => {
      const process = await world().connect();
      const wakes: boolean[] = [];
      const listener = process.feed.listen((reconnected) => wakes.push(reconnected));
      await eventually(() => wakes.length === 1);
      const round = (wake: boolean, fails: boolean) =>
        process.sequencer.session((session) =>
          session.transaction(async (trx) => {
            if (wake) await trx.wakeReaders();
            if (fails) throw new Error('fails');
          }),
        );
      await round(false, false);
      await expect(round(true, true)).rejects.toThrow('fails');
      await round(true, false);
      await eventually(() => wakes.length === 2);
      expect(wakes).toEqual([true, false]);
      await process.endConnections();
      await eventually(() => wakes.length === 3);
      expect(wakes).toEqual([true, false, true]);
      await listener.stop();
    });

    test('the epoch stays, and nothing is asked once the signal is aborted', async () => {
      const { feed } = await world().connect();
      const epoch = await feed.epoch(unaborted);
      expect(epoch).not.toBe('');
      await expect(feed.epoch(unaborted)).resolves.toBe(epoch);
      const aborted = AbortSignal.abort(new Error('gone'));
      await expect(feed.epoch(aborted)).rejects.toThrow('gone');
      await expect(feed.of(anOrganization().uuid, aborted).head()).rejects.toThrow('gone');
    });
  });
}
