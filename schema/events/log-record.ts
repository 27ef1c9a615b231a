/**
 * One message of the event log as both adapters carry it: a key, an explicit partition, headers and bytes.
 * The value's bytes are final: they are what is stored, hashed and later proved, so nobody re-serialises them.
 */
export interface LogRecord {
  readonly key: string;
  readonly partition: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
}

/** A record as read back, with its place in the partition. */
export interface StoredRecord extends LogRecord {
  readonly offset: bigint;
}
