import type { Topic } from '../../schema/events/topics.ts';
import { StartRefusal } from '../runtime/start-refusal.ts';
import type { LedgerStore } from './store/ledger-store.ts';

/**
 * Records how many partitions a topic has when it is first seen.
 * @throws StartRefusal when it has another number now: keys would change partitions, and two consumers could post one key.
 */
export async function refuseChangedPartitions(store: LedgerStore, topic: Topic): Promise<void> {
  const partitions = await store.recordPartitions(topic.name, topic.partitions);
  if (partitions === topic.partitions) return;
  throw new StartRefusal(
    `The topic ${topic.name} has ${topic.partitions} partitions, but the ledger was written with ${partitions}. ` +
      'The number must never change: restore it, or move to a topic of another name.',
  );
}
