/**
 * Arrays as single parameters in PostgreSQL's binary form (`array_recv`), so that a batch of any size is one statement with one plan.
 * As text, which `sql-array.ts` makes, every value is printed here, quoted, scanned there and parsed: at a thousand rows of forty columns
 * that is a seventh of what a row costs the server and most of what it leaves to our collector.
 */

/** Types of elements by their ids in `pg_type`, which are the same in every server. */
const elementOids = {
  boolean: 16,
  bigint: 20,
  smallint: 21,
  integer: 23,
  text: 25,
  'double precision': 701,
  timestamptz: 1184,
  numeric: 1700,
  uuid: 2950,
  jsonb: 3802,
} as const;
export type ElementType = keyof typeof elementOids;

const headBytes = 20;
const firstCapacity = 65_536;
/** PostgreSQL counts from 2000-01-01. */
const postgresEpochMs = 946_684_800_000;
const HEX = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase());
  return digit < 0 ? 0xff : digit;
});

/**
 * Writes one array after another, element by element. What does not fit its type is a {@link RangeError}, never another value.
 */
export class ArrayWriter {
  #bytes: Buffer = Buffer.allocUnsafe(firstCapacity);
  #view: DataView = viewOf(this.#bytes);
  #at = headBytes;
  #elements = 0;
  #nulls = 0;

  null(): void {
    this.#begin(-1, 0);
    this.#nulls += 1;
  }

  boolean(value: boolean): void {
    this.#bytes[this.#begin(1, 1)] = value ? 1 : 0;
  }

  smallint(value: number): void {
    if ((value << 16) >> 16 !== value) throw new RangeError('not a smallint');
    this.#view.setInt16(this.#begin(2, 2), value);
  }

  integer(value: number): void {
    if ((value | 0) !== value) throw new RangeError('not an integer');
    this.#view.setInt32(this.#begin(4, 4), value);
  }

  bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new RangeError('not a bigint');
    this.#view.setBigInt64(this.#begin(8, 8), value);
  }

  double(value: number): void {
    this.#view.setFloat64(this.#begin(8, 8), value);
  }

  instant(value: Date): void {
    const micros = (value.getTime() - postgresEpochMs) * 1_000;
    if (!Number.isSafeInteger(micros)) throw new RangeError('not a time');
    const at = this.#begin(8, 8);
    const high = Math.floor(micros / 2 ** 32);
    this.#view.setInt32(at, high);
    this.#view.setUint32(at + 4, micros - high * 2 ** 32);
  }

  /** 32 hex digits, with dashes where a uuid has them. */
  uuid(value: string): void {
    let digits = 0;
    let byte = 0;
    const at = this.#begin(16, 16);
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code === 0x2d) continue;
      const digit = HEX[code] ?? 0xff;
      if (digit === 0xff || digits === 32) throw new RangeError('not a uuid');
      if ((digits & 1) === 0) byte = digit << 4;
      else this.#bytes[at + (digits >> 1)] = byte | digit;
      digits += 1;
    }
    if (digits !== 32) throw new RangeError('not a uuid');
  }

  /** A whole number of any size. */
  numeric(value: bigint): void {
    const small = Number(value);
    if (Number.isSafeInteger(small)) this.#smallNumeric(small);
    else this.#largeNumeric(value);
  }

  text(value: string): void {
    const length = value.length;
    const at = this.#begin(length, 3 * length);
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code >= 0x80) {
        this.#setLength(at, this.#bytes.write(value, at));
        return;
      }
      this.#bytes[at + index] = code;
    }
  }

  /** JSON text, behind the version of the form. */
  jsonb(value: string): void {
    const at = this.#begin(1, 1 + 3 * value.length);
    this.#bytes[at] = 1;
    this.#setLength(at, 1 + this.#bytes.write(value, at + 1));
  }

  /** The array of what was written since the last one; without elements where none is other than null, since `unnest` fills up with nulls. */
  finish(type: ElementType): Buffer {
    const isEmpty = this.#nulls === this.#elements;
    const length = isEmpty ? 12 : this.#at;
    this.#view.setInt32(0, isEmpty ? 0 : 1);
    // Whether there are nulls, which the server finds out by itself.
    this.#view.setInt32(4, 0);
    this.#view.setInt32(8, elementOids[type]);
    this.#view.setInt32(12, this.#elements);
    this.#view.setInt32(16, 1);
    const array = Buffer.from(this.#bytes.subarray(0, length));
    this.#at = headBytes;
    this.#elements = 0;
    this.#nulls = 0;
    return array;
  }

  #smallNumeric(value: number): void {
    let left = Math.abs(value);
    let digits = 0;
    for (let rest = left; rest > 0; rest = Math.floor(rest / 10_000)) digits += 1;
    const at = this.#numericHead(digits, value < 0);
    for (let index = digits - 1; index >= 0; index--) {
      const next = Math.floor(left / 10_000);
      this.#view.setInt16(at + 2 * index, left - next * 10_000);
      left = next;
    }
  }

  #largeNumeric(value: bigint): void {
    const text = (value < 0n ? -value : value).toString();
    const digits = Math.ceil(text.length / 4);
    const at = this.#numericHead(digits, value < 0n);
    for (let index = 0, end = text.length - 4 * (digits - 1); index < digits; index++, end += 4) {
      this.#view.setInt16(at + 2 * index, Number(text.slice(Math.max(0, end - 4), end)));
    }
  }

  /** Digits to the base 10,000 follow, the greatest first. @returns where. */
  #numericHead(digits: number, isNegative: boolean): number {
    const at = this.#begin(8 + 2 * digits, 8 + 2 * digits);
    this.#view.setInt16(at, digits);
    this.#view.setInt16(at + 2, digits - 1);
    this.#view.setUint16(at + 4, isNegative ? 0x4000 : 0);
    this.#view.setInt16(at + 6, 0);
    return at + 8;
  }

  /** Begins an element. @returns where its bytes go, with room for as many as `most`. */
  #begin(length: number, most: number): number {
    const at = this.#at + 4;
    if (at + most > this.#bytes.length) this.#grow(at + most);
    this.#view.setInt32(this.#at, length);
    this.#elements += 1;
    this.#at = length < 0 ? at : at + length;
    return at;
  }

  #setLength(at: number, length: number): void {
    this.#view.setInt32(at - 4, length);
    this.#at = at + length;
  }

  #grow(atLeast: number): void {
    const bytes = Buffer.allocUnsafe(Math.max(atLeast, 2 * this.#bytes.length));
    this.#bytes.copy(bytes, 0, 0, this.#at);
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
