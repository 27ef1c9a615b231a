import pg from 'pg';

/** An error as the server reports it and `pg` throws it: what the ledger sorts is the SQLSTATE, and the constraint for a person. */
export function databaseError(sqlState: string, message: string, constraint?: string): Error {
  const error = new pg.DatabaseError(message, message.length, 'error');
  error.severity = 'ERROR';
  error.code = sqlState;
  if (constraint !== undefined) error.constraint = constraint;
  return error;
}

/** What `pg` throws when a connection ends under a statement: nothing is known of what was asked last. */
export function connectionLost(): Error {
  return new Error('Connection terminated unexpectedly');
}

/** Nobody listens at the server's address. */
export function connectionRefused(): Error {
  return Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
}
