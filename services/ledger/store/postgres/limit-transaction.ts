import { prepared } from '../../../runtime/postgres.ts';

/** First statement of each transaction: a frozen process must not hold what it locked, so the server ends the transaction then. */
export const limitTransaction = prepared(`select set_config('transaction_timeout', '15s', true)`);
