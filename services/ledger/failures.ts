import { isTransient, sqlStateOf } from '../runtime/postgres.ts';

/** The partition has another owner by now; what it was handed here is that owner's to post. */
export class FencedError extends Error {
  override readonly name = 'FencedError';

  constructor(partition: number) {
    super(`partition ${partition} belongs to another owner`);
  }
}

/** The log no longer holds, or not yet holds, what the books need next. Nothing is skipped: a person has to look. */
export class GapError extends Error {
  override readonly name = 'GapError';
  readonly missing: bigint;

  constructor(message: string, missing: bigint) {
    super(message);
    this.missing = missing;
  }
}

/**
 * Whether a batch may succeed when run again as it is: the database was away, the transaction lost against another, or took
 * too long (57014 statement, 25P03 and 25P04 transaction, 55P03 lock).
 */
export function isRetryable(error: unknown): boolean {
  return isTransient(error) || /^(57014|25P0[34]|55P03)$/.test(sqlStateOf(error) ?? '');
}

/**
 * Whether a record of the batch is at fault rather than the database or the program: the data do not fit (22), a constraint
 * refuses them (23), a limit is passed (54), or they cannot even be written as a parameter.
 */
export function isFaultOfData(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === null ? error instanceof RangeError || error instanceof TypeError : /^(22|23|54)/.test(state);
}

/** Why a record was refused, for a person: the state of SQL and the constraint, never a value. */
export function refusalOf(error: unknown): string {
  const constraint = error instanceof Error && 'constraint' in error && typeof error.constraint === 'string' ? ` ${error.constraint}` : '';
  return `${sqlStateOf(error) ?? 'not encodable'}${constraint}`;
}
