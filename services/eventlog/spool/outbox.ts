import type { LogRecord } from '../../../schema/events/log-record.ts';
import type { Place } from '../segments/segment.ts';

/** A closed record on its way to the event log. */
export interface Outgoing {
  readonly requestId: string;
  readonly closedAt: number;
  readonly place: Place;
  /** Null when it is to be read from disk. */
  record: LogRecord | null;
}

/**
 * Closed records in spool order. The newest are kept in memory up to a bound, so that the sender need not read back what was
 * just written; behind a long outage only their places are, about a hundred bytes each.
 */
export interface Outbox {
  add(requestId: string, closedAt: number, place: Place, record: LogRecord | null): void;
  /** The oldest ones up to this sequence, in order, within both bounds but at least one if there is any. */
  peek(syncedSequence: number, maxRecords: number, maxBytes: number): readonly Outgoing[];
  /** Takes the oldest `count` away. */
  shift(count: number): readonly Outgoing[];
  readonly length: number;
  readonly oldest: Outgoing | null;
}

/** Entries that have left and are still in the list; compacting at half the list keeps the cost of each entry constant. */
const COMPACT_AT = 64;

export function createOutbox(options: { readonly maxResidentBytes: number }): Outbox {
  let entries: Outgoing[] = [];
  let head = 0;
  let residentBytes = 0;

  return {
    add(requestId, closedAt, place, record) {
      const resident = record !== null && residentBytes + place.length <= options.maxResidentBytes;
      if (resident) residentBytes += place.length;
      entries.push({ requestId, closedAt, place, record: resident ? record : null });
    },
    peek(syncedSequence, maxRecords, maxBytes) {
      const batch: Outgoing[] = [];
      let bytes = 0;
      for (let index = head; index < entries.length && batch.length < maxRecords; index++) {
        const entry = entries[index];
        if (entry === undefined || entry.place.sequence > syncedSequence) break;
        bytes += entry.place.length;
        if (bytes > maxBytes && batch.length > 0) break;
        batch.push(entry);
      }
      return batch;
    },
    shift(count) {
      const taken = entries.slice(head, head + count);
      for (const entry of taken) {
        if (entry.record === null) continue;
        residentBytes -= entry.place.length;
        // The entry stays until the next compaction; its record must not, or it grows old and costs the collector twice.
        entry.record = null;
      }
      head += taken.length;
      if (head >= COMPACT_AT && head * 2 >= entries.length) {
        entries = entries.slice(head);
        head = 0;
      }
      return taken;
    },
    get length() {
      return entries.length - head;
    },
    get oldest() {
      return entries[head] ?? null;
    },
  };
}
