import type { LogRecord } from '../../../schema/events/log-record.ts';
import { decodeRecord, EncodedRecord, encodeRecord, MAX_RECORD_BYTES } from '../record-codec.ts';
import { frameBytes } from '../segments/frame.ts';

/** Kinds of the spool's frames. 0 is the segment header. */
export const OPEN_KIND = 1;
export const CLOSE_KIND = 2;
/** Everything closed up to a sequence has left the spool: acknowledged, or set aside. */
export const SENT_KIND = 3;
/** The last frame of a clean stop: everything before it was synced. */
export const END_KIND = 4;
/** One part of what the spool's owner carries from segment to segment. */
export const CARRIED_KIND = 5;

const MAX_ID_BYTES = 255;
/** An opening record has an event of the largest size in it, and the subject beside it. */
export const MAX_OPEN_BYTES = 96 * 1024;
/** Bytes of the largest closing frame: what each open request keeps free. */
export const CLOSE_ROOM_BYTES = frameBytes(7 + MAX_ID_BYTES + MAX_RECORD_BYTES);

export interface OpenBody {
  readonly requestId: string;
  readonly draft: string;
}

export interface CloseBody {
  /** Empty for an event that had no open record. */
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly closedAt: number;
  readonly event: LogRecord;
}

export function encodeOpen(requestId: string, draft: string): Buffer {
  const idBytes = Buffer.byteLength(requestId);
  const body = Buffer.allocUnsafe(1 + idBytes + Buffer.byteLength(draft));
  body[0] = idBytes;
  body.write(requestId, 1, idBytes);
  body.write(draft, 1 + idBytes);
  return body;
}

export function decodeOpen(body: Buffer): OpenBody {
  const draftAt = 1 + (body[0] ?? 0);
  return { requestId: body.toString('utf8', 1, draftAt), draft: body.toString('utf8', draftAt) };
}

/** The body of a closing frame, and the record in it, which shares its bytes. */
export function encodeClose(
  requestId: string,
  closedAt: number,
  event: LogRecord,
): { readonly body: Buffer; readonly record: EncodedRecord } {
  const idBytes = Buffer.byteLength(requestId);
  const body = encodeRecord(event, 7 + idBytes);
  body.writeUIntLE(closedAt, 0, 6);
  body[6] = idBytes;
  body.write(requestId, 7, idBytes);
  return { body, record: new EncodedRecord(body.subarray(7 + idBytes)) };
}

/** @throws {RangeError} when the bytes are none. */
export function decodeClose(body: Buffer): CloseBody {
  const recordAt = 7 + (body[6] ?? 0);
  return { closedAt: body.readUIntLE(0, 6), requestId: body.toString('utf8', 7, recordAt), event: decodeRecord(body, recordAt) };
}

export function encodeSent(sequence: number): Buffer {
  const body = Buffer.allocUnsafe(6);
  body.writeUIntLE(sequence, 0, 6);
  return body;
}

export function decodeSent(body: Buffer): number {
  return body.readUIntLE(0, 6);
}

/** Whether an id fits its field; ours have 30 bytes. */
export function isStorableId(requestId: string): boolean {
  return requestId.length > 0 && Buffer.byteLength(requestId) <= MAX_ID_BYTES;
}

/** Largest part of what is carried, well below what a frame takes. */
export const MAX_CARRIED_BYTES = 200 * 1024;

export interface CarriedBody {
  /** From 0. */
  readonly part: number;
  readonly parts: number;
  readonly value: Buffer;
}

/** @throws {RangeError} for a part that is too large: its owner has to cut it. */
export function encodeCarried(part: number, parts: number, value: Buffer): Buffer {
  if (value.length > MAX_CARRIED_BYTES) throw new RangeError(`a part of ${value.length} bytes is carried`);
  const body = Buffer.allocUnsafe(8 + value.length);
  body.writeUInt32LE(part, 0);
  body.writeUInt32LE(parts, 4);
  value.copy(body, 8);
  return body;
}

export function decodeCarried(body: Buffer): CarriedBody {
  return { part: body.readUInt32LE(0), parts: body.readUInt32LE(4), value: Buffer.from(body.subarray(8)) };
}
