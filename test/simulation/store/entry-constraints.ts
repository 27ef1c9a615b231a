import type { LedgerEntryInsert } from '../../../services/journal/entry-columns.ts';
import type { Books } from './books.ts';
import { monthOf } from './books.ts';
import { databaseError } from './database-errors.ts';

/** A rule of a test's own, beside those of migration 0003: `check (…)` under a name. */
export interface EntryConstraint {
  readonly name: string;
  readonly holds: (entry: LedgerEntryInsert) => boolean;
}

const kinds: ReadonlySet<string> = new Set(['usage', 'adjustment', 'reversal', 'overrun', 'credit']);
const outcomes: ReadonlySet<string> = new Set(['succeeded', 'cancelled', 'failed', 'blocked', 'rejected', 'cached', 'orphaned']);
const maxBigint = 2n ** 63n - 1n;
const numericLimit = 10n ** 38n;

/**
 * @throws 22003, 22021, 22P05 or 22P02 where a value does not fit its column's type, as PostgreSQL does before it looks at any row; and
 * {@link RangeError} where it cannot even be written as a parameter.
 */
export function refuseUnfitValues(entries: readonly LedgerEntryInsert[]): void {
  for (const entry of entries) {
    for (const [name, value] of Object.entries(entry)) {
      if (typeof value === 'bigint') refuseUnwritable(name, value);
      else if (typeof value === 'string' && value.includes('\0'))
        throw databaseError('22021', 'invalid byte sequence for encoding "UTF8": 0x00');
    }
    if (entry.status !== null && Math.abs(entry.status) > 32_767) {
      throw new RangeError('not a smallint');
    }
    if (entry.flags.some((flag) => flag.includes('\0'))) throw databaseError('22021', 'invalid byte sequence for encoding "UTF8": 0x00');
    refuseUnfitJson(entry.tags);
  }
}

function refuseUnwritable(column: string, value: bigint): void {
  if (column !== 'cost' && column !== 'proxy_cost' && BigInt.asIntN(64, value) !== value) throw new RangeError('not a bigint');
  refuseOutOfRange(column, value);
}

/** @throws 22003 beyond 64 bits, or beyond `numeric(38,0)` where it is money. */
export function refuseOutOfRange(column: string, value: bigint): void {
  if (column === 'cost' || column === 'proxy_cost') {
    if (value >= numericLimit || value <= -numericLimit) throw databaseError('22003', 'numeric field overflow');
  } else if (value > maxBigint || value < -maxBigint - 1n) throw databaseError('22003', 'bigint out of range');
}

/** @throws 22P05 or 22P02 for text that `jsonb` cannot hold. */
export function refuseUnfitJson(members: Readonly<Record<string, string>>): void {
  for (const text of Object.entries(members).flat()) {
    if (text.includes('\0')) throw databaseError('22P05', 'unsupported Unicode escape sequence');
    if (!text.isWellFormed()) throw databaseError('22P02', 'invalid input syntax for type json');
  }
}

/** @throws 23514 for a row that has no partition to go to or offends a check. */
export function refuseOffendingRow(entry: LedgerEntryInsert, books: Books, constraints: readonly EntryConstraint[]): void {
  if (!books.months.has(monthOf(entry.occurred_at.getTime()))) {
    throw databaseError('23514', 'no partition of relation "ledger_entries" found for row');
  }
  const offended =
    (!kinds.has(entry.kind) && 'ledger_entries_kind_check') ||
    (!outcomes.has(entry.outcome) && 'ledger_entries_outcome_check') ||
    (entry.usage_source !== null && !usageSources.has(entry.usage_source) && 'ledger_entries_usage_source_check') ||
    (entry.body_hash.length !== 32 && 'ledger_entries_body_hash_check') ||
    ((entry.cost === null) !== (entry.unrated !== null) && 'ledger_entries_check') ||
    constraints.find((constraint) => !constraint.holds(entry))?.name;
  if (typeof offended === 'string') {
    throw databaseError('23514', `new row for relation "ledger_entries" violates check constraint "${offended}"`, offended);
  }
}

const usageSources: ReadonlySet<string> = new Set(['provider', 'estimated']);
