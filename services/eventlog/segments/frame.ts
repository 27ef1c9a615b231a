import { crc32 } from 'node:zlib';

/**
 * A frame on disk: payload length (u32), CRC-32 of the payload (u32), payload = kind (u8), sequence (u48), body. Little endian.
 * Sequences rise by one from frame to frame across segments. CRC-32 is the runtime's native one (CRC-32C is not offered natively).
 */
export interface Frame {
  readonly kind: number;
  readonly sequence: number;
  /** A view into the bytes read. */
  readonly body: Buffer;
}

const PREFIX_BYTES = 8;
const LEAST_PAYLOAD_BYTES = 7;
/** Bytes a frame needs beyond its body. */
const FRAME_OVERHEAD_BYTES = PREFIX_BYTES + LEAST_PAYLOAD_BYTES;
/** Largest body: an event of 64 KiB with its headers has room twice over. A larger length on disk is damage. */
export const MAX_BODY_BYTES = 256 * 1024;

/** Bytes of a frame with a body of this length. */
export function frameBytes(bodyLength: number): number {
  return FRAME_OVERHEAD_BYTES + bodyLength;
}

/** Writes a frame into `target` at `at`, which must have room. @returns the position after it. */
export function writeFrame(target: Buffer, at: number, kind: number, sequence: number, body: Buffer): number {
  const payloadAt = at + PREFIX_BYTES;
  const end = payloadAt + LEAST_PAYLOAD_BYTES + body.length;
  target.writeUInt32LE(end - payloadAt, at);
  target[payloadAt] = kind;
  target.writeUIntLE(sequence, payloadAt + 1, 6);
  body.copy(target, payloadAt + LEAST_PAYLOAD_BYTES);
  target.writeUInt32LE(crc32(target.subarray(payloadAt, end)), at + 4);
  return end;
}

/** The frame at `at`, or null when what stands there is none: torn, damaged, or the end. */
export function readFrame(bytes: Buffer, at: number): Frame | null {
  if (at + FRAME_OVERHEAD_BYTES > bytes.length) return null;
  const payloadLength = bytes.readUInt32LE(at);
  if (payloadLength < LEAST_PAYLOAD_BYTES || payloadLength > MAX_BODY_BYTES + LEAST_PAYLOAD_BYTES) return null;
  const payloadAt = at + PREFIX_BYTES;
  const end = payloadAt + payloadLength;
  if (end > bytes.length || crc32(bytes.subarray(payloadAt, end)) !== bytes.readUInt32LE(at + 4)) return null;
  return {
    kind: bytes[payloadAt] ?? 0,
    sequence: bytes.readUIntLE(payloadAt + 1, 6),
    body: bytes.subarray(payloadAt + LEAST_PAYLOAD_BYTES, end),
  };
}

/** Position of the next whole frame at or after `at`, or -1. How reading goes on behind damage. */
export function findFrame(bytes: Buffer, at: number): number {
  for (let position = at; position + FRAME_OVERHEAD_BYTES <= bytes.length; position++) {
    // The length's highest byte is always 0: skips most of a text without computing anything.
    if (bytes[position + 3] === 0 && readFrame(bytes, position) !== null) return position;
  }
  return -1;
}
