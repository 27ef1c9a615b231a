import type { LogRecord, StoredRecord } from '../../../schema/events/log-record.ts';
import { decodeRecord } from '../record-codec.ts';
import { frameBytes, readFrame } from '../segments/frame.ts';
import type { SegmentReader } from '../segments/segment-reader.ts';
import type { Run } from './partition-index.ts';

/** A record's frame begins with its offset (u48); the record follows. */
export const OFFSET_BYTES = 6;
const READ_WINDOW_BYTES = 256 * 1024;

/** Records of a run from offset `from` up to `to`: those in memory as they are, the others a window of the file at a time. */
export async function readRun(segments: SegmentReader, run: Run, from: number, to: number): Promise<readonly StoredRecord[]> {
  const records: StoredRecord[] = [];
  let window: Buffer = Buffer.alloc(0);
  let windowAt = 0;
  for (let offset = from; offset < to; offset++) {
    const resident = run.records[offset - run.firstOffset];
    const position = run.positions[offset - run.firstOffset] ?? 0;
    if (resident) {
      records.push(stored(resident, offset));
      continue;
    }
    let frame = position >= windowAt ? readFrame(window, position - windowAt) : null;
    if (frame === null) {
      window = await segments.readAt(run.segment, position, READ_WINDOW_BYTES + frameBytes(0));
      windowAt = position;
      frame = readFrame(window, 0);
    }
    if (frame === null || frame.body.readUIntLE(0, OFFSET_BYTES) !== offset) {
      throw new Error(`Offset ${offset} of partition ${run.partition} in ${run.segment.path} is damaged`);
    }
    records.push(stored(decodeRecord(frame.body, OFFSET_BYTES), offset));
  }
  return records;
}

function stored({ key, partition, headers, value }: LogRecord, offset: number): StoredRecord {
  return { key, partition, headers, value, offset: BigInt(offset) };
}
