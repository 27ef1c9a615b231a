import type { LogRecord } from '../../../schema/events/log-record.ts';
import type { Segment } from '../segments/segment.ts';

/** Records of one partition that follow one another in one segment. */
export interface Run {
  readonly partition: number;
  readonly segment: Segment;
  readonly firstOffset: number;
  /** Of each record's frame in the segment, by offset from the first. */
  readonly positions: number[];
  /** The records themselves, while they are among the newest. */
  readonly records: (LogRecord | null)[];
}

/**
 * Where each partition's records stand in the shared journal: eight bytes a record, and the newest records themselves up to a
 * bound, so that a consumer that keeps up never reads the disk.
 */
export interface PartitionIndex {
  add(partition: number, offset: number, segment: Segment, position: number, record: LogRecord | null, bytes: number): void;
  /** The run that holds the first record at or after this offset, or null. */
  find(partition: number, offset: number): Run | null;
  /** Smallest offset still held, or null. */
  earliest(partition: number): number | null;
  runsOf(segment: Segment): readonly Run[];
  drop(segment: Segment): void;
}

export function createPartitionIndex(options: { readonly partitions: number; readonly maxResidentBytes: number }): PartitionIndex {
  const runs: Run[][] = Array.from({ length: options.partitions }, () => []);
  let resident: { readonly run: Run; readonly index: number; readonly bytes: number }[] = [];
  let residentHead = 0;
  let residentBytes = 0;

  function evict(): void {
    while (residentBytes > options.maxResidentBytes) {
      const oldest = resident[residentHead++];
      if (oldest === undefined) break;
      oldest.run.records[oldest.index] = null;
      residentBytes -= oldest.bytes;
    }
    if (residentHead > 10_000 && residentHead * 2 > resident.length) {
      resident = resident.slice(residentHead);
      residentHead = 0;
    }
  }

  return {
    add(partition, offset, segment, position, record, bytes) {
      const list = runs[partition] ?? [];
      let run = list.at(-1);
      if (run === undefined || run.segment !== segment || endOf(run) !== offset) {
        run = { partition, segment, firstOffset: offset, positions: [], records: [] };
        list.push(run);
      }
      const index = run.positions.push(position) - 1;
      run.records.push(record);
      if (record === null) return;
      resident.push({ run, index, bytes });
      residentBytes += bytes;
      evict();
    },
    find: (partition, offset) => runs[partition]?.find((run) => endOf(run) > offset) ?? null,
    earliest: (partition) => runs[partition]?.[0]?.firstOffset ?? null,
    runsOf: (segment) => runs.flatMap((list) => list.filter((run) => run.segment === segment)),
    drop(segment) {
      for (const list of runs) {
        const kept = list.filter((run) => run.segment !== segment);
        list.splice(0, list.length, ...kept);
      }
    },
  };
}

/** Offset after the run's last record. */
export function endOf(run: Run): number {
  return run.firstOffset + run.positions.length;
}
