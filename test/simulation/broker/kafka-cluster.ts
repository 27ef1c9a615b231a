import type { StoredRecord } from '../../../schema/events/log-record.ts';
import type { Topic } from '../../../schema/events/topics.ts';
import type { Dice } from '../dice.ts';
import type { Counts } from '../faults/counts.ts';
import type { Trace } from '../trace.ts';

const BROKERS = 3;

/** A message on its way in; its partition is chosen by the producer. */
export type Produced = Omit<StoredRecord, 'offset'>;

/**
 * What a Kafka cluster keeps for one topic: a log a partition, and which broker leads it. `acks=all` without unclean elections:
 * what was accepted once stays, whatever happens to leaders and brokers.
 */
export interface KafkaCluster {
  readonly topic: Topic;
  readonly brokers: number;
  /** Null while a partition has no leader. */
  leaderOf(partition: number): number | null;
  isUp(broker: number): boolean;
  /** @throws when the broker is down or does not lead the partition. @returns offset of the first one. */
  append(broker: number, partition: number, records: readonly Produced[]): bigint;
  /** Up to `limit` records from an offset on, and where the log ends. */
  read(partition: number, offset: bigint, limit: number): { readonly records: readonly StoredRecord[]; readonly end: bigint };
  next(partition: number): bigint;
  /** Offset after the newest record, which markers may lie behind. */
  recordsEnd(partition: number): bigint;
  /** Tells once, when something is appended to the partition; returns how to cancel it. */
  whenAppended(partition: number, tell: () => void): () => void;
  stop(broker: number): void;
  start(broker: number): void;
  /** Another leader for a partition; it has none for a moment. */
  unlead(partition: number): void;
  elect(partition: number): void;
}

/** An error as a broker names it. */
export function brokerError(type: string): Error {
  return Object.assign(new Error(type), { type });
}

export function createKafkaCluster(options: {
  readonly topic: Topic;
  readonly dice: Dice;
  readonly counts: Counts;
  readonly trace: Trace;
  /** Chance that something nobody sees takes an offset behind an append, as markers of transactions do. */
  readonly holes: number;
}): KafkaCluster {
  const { topic, dice, counts } = options;
  const logs: StoredRecord[][] = Array.from({ length: topic.partitions }, () => []);
  const ends: bigint[] = Array.from({ length: topic.partitions }, () => 0n);
  const leaders: (number | null)[] = Array.from({ length: topic.partitions }, (_, partition) => partition % BROKERS);
  const down = new Set<number>();
  const waiting: Set<() => void>[] = Array.from({ length: topic.partitions }, () => new Set());

  function elect(partition: number): void {
    const candidates = Array.from({ length: BROKERS }, (_, broker) => broker).filter((broker) => !down.has(broker));
    leaders[partition] = candidates.length === 0 ? null : dice.pick(candidates);
  }

  return {
    topic,
    brokers: BROKERS,
    leaderOf: (partition) => leaders[partition] ?? null,
    isUp: (broker) => !down.has(broker),
    append(broker, partition, records) {
      if (down.has(broker)) throw brokerError('BROKER_NOT_AVAILABLE');
      if (leaders[partition] !== broker) throw brokerError('NOT_LEADER_FOR_PARTITION');
      const log = logs[partition] ?? [];
      const first = ends[partition] ?? 0n;
      let offset = first;
      for (const record of records) log.push({ ...record, offset: offset++ });
      if (dice.chance(options.holes)) {
        offset += 1n;
        counts.add('broker: offset without a record');
      }
      ends[partition] = offset;
      options.trace.add(`kafka ${partition} ${first}+${records.length}`);
      const told = [...(waiting[partition] ?? [])];
      waiting[partition]?.clear();
      for (const tell of told) tell();
      return first;
    },
    read(partition, offset, limit) {
      const log = logs[partition] ?? [];
      const end = ends[partition] ?? 0n;
      // Offsets grow with places, so the first one at or behind `offset` is found by halving.
      let low = 0;
      let high = log.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((log[middle]?.offset ?? 0n) < offset) low = middle + 1;
        else high = middle;
      }
      const records = log.slice(low, low + limit);
      return { records, end: low + limit >= log.length ? end : (records.at(-1)?.offset ?? offset - 1n) + 1n };
    },
    next: (partition) => ends[partition] ?? 0n,
    recordsEnd: (partition) => (logs[partition]?.at(-1)?.offset ?? -1n) + 1n,
    whenAppended: (partition, tell) => {
      waiting[partition]?.add(tell);
      return () => waiting[partition]?.delete(tell);
    },
    stop(broker) {
      down.add(broker);
      for (const [partition, leader] of leaders.entries()) if (leader === broker) elect(partition);
    },
    start(broker) {
      down.delete(broker);
      for (const [partition, leader] of leaders.entries()) if (leader === null) elect(partition);
    },
    unlead(partition) {
      leaders[partition] = null;
    },
    elect,
  };
}
