import type { ColumnType } from 'kysely';

/** An alert that no channel was told of yet. A trigger writes it. */
export interface AlertToHandOutTable {
  alert_id: ColumnType<string, never, never>;
}
