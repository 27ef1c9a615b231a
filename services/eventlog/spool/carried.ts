import type { LogRecord } from '../../../schema/events/log-record.ts';

/**
 * What the owner of a spool knows of its closed records and must not forget with them (reference/leases.md section 2: sums of debits
 * outlive acknowledged segments). It stands in the spool itself, written anew into each segment, so that it is torn or kept together
 * with the records it was made of.
 */
export interface Carried {
  /** What is to be kept as of now, in at least one part, each of at most 200 KiB. */
  write(): readonly Buffer[];
  /** What an earlier process wrote. It replaces what was read and told before. */
  read(parts: readonly Buffer[]): void;
  /** A record that an earlier process closed after it wrote that. */
  closed(event: LogRecord): void;
}
