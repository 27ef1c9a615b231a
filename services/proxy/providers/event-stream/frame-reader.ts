import { frameCodec } from './frame-codec.ts';

/** One frame of `application/vnd.amazon.eventstream`. */
export interface Frame {
  /** `event`, or how it says that something failed: `exception` by its name, `error` by a code and a text. */
  readonly kind: string;
  readonly name: string;
  readonly payload: Buffer;
  /** All of it, as it came. */
  readonly bytes: Buffer;
}

/** The type of such a stream. */
export const FRAMES_CONTENT_TYPE = 'application/vnd.amazon.eventstream';

/** Whether an answer of that type is such a stream. */
export function isFrameStream(contentType: string): boolean {
  return contentType.includes(FRAMES_CONTENT_TYPE);
}

/** The least a frame has: two lengths and two checksums. */
const LEAST_FRAME_BYTES = 16;
/** AWS's own bound of a message. */
const MAX_FRAME_BYTES = 24 * 1024 * 1024;
const LENGTH_BYTES = 4;
const NAME_HEADERS = [':event-type', ':exception-type', ':error-code'] as const;

/** Reads AWS's binary frames, cut anywhere. Their checksums are verified: a frame that was altered is told to nobody. */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  #carry: Buffer[] = [];
  #carryBytes = 0;
  /** Of the frame under way; 0 = not known yet. */
  #frameBytes = 0;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** Whether no frame is under way. */
  get isBetween(): boolean {
    return this.#carryBytes === 0;
  }

  /** False when what comes is no such stream. */
  push(chunk: Buffer): boolean {
    this.#carry.push(chunk);
    this.#carryBytes += chunk.length;
    // Nothing is copied before a frame is whole.
    if (this.#carryBytes < Math.max(this.#frameBytes, LENGTH_BYTES)) return true;
    let bytes = this.#carry.length === 1 ? chunk : Buffer.concat(this.#carry, this.#carryBytes);
    this.#frameBytes = 0;
    while (bytes.length >= LENGTH_BYTES) {
      const length = bytes.readUInt32BE(0);
      if (length < LEAST_FRAME_BYTES || length > MAX_FRAME_BYTES) return false;
      if (bytes.length < length) {
        this.#frameBytes = length;
        break;
      }
      const frame = read(bytes.subarray(0, length));
      if (frame === null) return false;
      bytes = bytes.subarray(length);
      this.#onFrame(frame);
    }
    this.#carry = bytes.length === 0 ? [] : [bytes];
    this.#carryBytes = bytes.length;
    return true;
  }
}

/** Null where a checksum is wrong. */
function read(bytes: Buffer): Frame | null {
  try {
    const { headers, body } = frameCodec().decode(bytes);
    const textOf = (name: string): string => {
      const value = headers[name]?.value;
      return typeof value === 'string' ? value : '';
    };
    const name = NAME_HEADERS.map(textOf).find((text) => text !== '') ?? '';
    const payload = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    const kind = textOf(':message-type');
    // An error has its text in a header and no payload.
    const told = kind === 'error' ? Buffer.from(JSON.stringify({ message: textOf(':error-message') }), 'utf8') : payload;
    return { kind, name, payload: told, bytes };
  } catch {
    return null;
  }
}
