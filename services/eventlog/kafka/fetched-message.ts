/** What kafkajs knows of the batch a message came in; the names are its own. */
export type BatchContext = { readonly firstOffset: string; readonly isControlBatch: boolean };

/**
 * A message that is still in the bytes it was fetched in; its fields are read when asked for. Thousands of records wait for
 * their transaction at any time, and the dozens of objects each is made of would be copied by the collector meanwhile.
 * Read as Kafka's record format version 2 says: attributes, time, offset, key, value, headers; all lengths are varints.
 */
export class FetchedMessage {
  /** As kafkajs has them. */
  readonly offset: string;
  readonly batchContext: BatchContext;
  readonly #bytes: Buffer;
  readonly #keyAt: number;

  /** @param bytes exactly those of the record, behind its length. */
  constructor(bytes: Buffer, batchContext: BatchContext) {
    const reader = new Reader(bytes, 1);
    reader.skipVarint();
    this.offset = String(BigInt(batchContext.firstOffset) + BigInt(reader.varint()));
    this.batchContext = batchContext;
    this.#bytes = bytes;
    this.#keyAt = reader.at;
  }

  get isControlRecord(): boolean {
    return this.batchContext.isControlBatch;
  }

  /** Bytes of all of it. */
  get size(): number {
    return this.#bytes.length;
  }

  get key(): Buffer | null {
    return new Reader(this.#bytes, this.#keyAt).bytes();
  }

  /** A view, like the key. */
  get value(): Buffer | null {
    const reader = new Reader(this.#bytes, this.#keyAt);
    reader.skipBytes();
    return reader.bytes();
  }

  /** Of a header that is there twice, the last. */
  get headers(): Record<string, string> {
    const reader = new Reader(this.#bytes, this.#keyAt);
    reader.skipBytes();
    reader.skipBytes();
    const headers: Record<string, string> = {};
    for (let left = reader.varint(); left > 0; left--) {
      const name = reader.text();
      const value = reader.text();
      // Assigned, this one would be no header but a prototype, and forgotten; other names are assigned, which is quicker.
      if (name === '__proto__') Object.defineProperty(headers, name, { value, enumerable: true, configurable: true, writable: true });
      else headers[name] = value;
    }
    return headers;
  }
}

class Reader {
  at: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** A zigzag varint of up to 32 bits. */
  varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes.readUInt8(this.at++);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
  }

  skipVarint(): void {
    while (this.#bytes.readUInt8(this.at++) >= 0x80);
  }

  /** A length below 0 stands for null. */
  bytes(): Buffer | null {
    const length = this.varint();
    return length < 0 ? null : this.#bytes.subarray(this.at, this.#advance(length));
  }

  text(): string {
    const length = Math.max(0, this.varint());
    return this.#bytes.toString('utf8', this.at, this.#advance(length));
  }

  skipBytes(): void {
    this.#advance(Math.max(0, this.varint()));
  }

  #advance(length: number): number {
    this.at += length;
    if (this.at > this.#bytes.length) throw new RangeError('A record is cut short');
    return this.at;
  }
}
