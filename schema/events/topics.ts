/** Topics of the event log (DESIGN.md, rulings "partitions" and "topic key"). A changed partition count is refused at start. */
export interface Topic {
  readonly name: string;
  readonly partitions: number;
  /** What the record key holds; records of one key keep their order. */
  readonly key: 'apiKeyId';
}

export const REQUESTS_TOPIC: Topic = { name: 'turnpike.requests.v1', partitions: 12, key: 'apiKeyId' };

/** Largest value of one event: an entry bundle of the Merkle log carries a 16-bit length (reference/formats.md section 1). */
export const MAX_EVENT_BYTES = 65_535;
