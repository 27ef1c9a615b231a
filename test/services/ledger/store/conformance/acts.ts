import { expect } from 'vitest';
import type { StoredRecord } from '../../../../../schema/events/log-record.ts';
import { uuidFromId } from '../../../../../schema/values/ids.ts';
import type { LedgerEntryInsert } from '../../../../../services/journal/entry-columns.ts';
import type { BatchOutcome } from '../../../../../services/ledger/batch.ts';
import { postBatch } from '../../../../../services/ledger/batch.ts';
import { prepareRecords } from '../../../../../services/ledger/prepare.ts';
import { createPriceSheets } from '../../../../../services/ledger/price-sheets.ts';
import type { LedgerStore, Tenure } from '../../../../../services/ledger/store/ledger-store.ts';
import { systemClock } from '../../../../../services/runtime/clock.ts';
import { systemRandom } from '../../../../../services/runtime/random.ts';
import { eventually } from '../../../../harness/eventually.ts';
import { silentLog, topicName } from '../../posting.ts';
import { anId } from '../../settled-records.ts';
import type { ProcessStores, StoreWorld } from './store-world.ts';

export function assignTo(ledger: LedgerStore, owner: string, partition = 0): Promise<Tenure> {
  return ledger.takeOverPartition({ topic: topicName, partition, owner, nowMs: Date.now() });
}

/** Posts records of one partition in one transaction, with the product's code and nothing around it. */
export async function postTo(
  ledger: LedgerStore,
  records: readonly StoredRecord[],
  options: { readonly epoch: bigint; readonly partition?: number; readonly beforeCommit?: () => void | Promise<void> },
): Promise<BatchOutcome> {
  const { epoch, partition = 0, beforeCommit = () => {} } = options;
  const prepared = await prepareRecords(records, createPriceSheets(ledger, silentLog), Date.now());
  await ledger.ensureRoom(prepared.flatMap((record) => (record.kind === 'entry' ? record.entry.occurred_at.getTime() : [])));
  const store: LedgerStore = {
    ...ledger,
    transaction: (work) =>
      ledger.transaction(async (books) => {
        const result = await work(books);
        await beforeCommit();
        return result;
      }),
  };
  return postBatch({
    store,
    topic: topicName,
    slices: [{ partition, epoch, records: prepared }],
    clock: systemClock,
    random: systemRandom,
  });
}

/** The entries that records become. */
export async function entriesOf(ledger: LedgerStore, records: readonly StoredRecord[]): Promise<LedgerEntryInsert[]> {
  const prepared = await prepareRecords(records, createPriceSheets(ledger, silentLog), Date.now());
  const entries = prepared.flatMap((record) => (record.kind === 'entry' ? record.entry : []));
  expect(entries).toHaveLength(records.length);
  await ledger.ensureRoom(entries.map((entry) => entry.occurred_at.getTime()));
  return entries;
}

/** Gives positions, without leading: as a rival that thinks it leads. */
export function sequenceOn({ sequencer }: ProcessStores, limit = 10_000): Promise<number> {
  return sequencer.session((session) => session.transaction(async (trx) => (await trx.placeOldest(limit)).sequenced));
}

/** An organization in both its forms. */
export function anOrganization(): { readonly organizationId: string; readonly uuid: string } {
  const organizationId = anId('organization');
  const uuid = uuidFromId('organization', organizationId);
  if (uuid === null) throw new Error('no id');
  return { organizationId, uuid };
}

/** Resolves once a transaction waits for another's lock. */
export async function isBlocked(world: StoreWorld): Promise<void> {
  await eventually(async () => (await world.blocked()) === 1);
}
