import type { ColumnType } from 'kysely';

/** One row, bumped by every registry write in its transaction. */
export interface RegistryRevisionTable {
  only: ColumnType<boolean, boolean | undefined, never>;
  revision: bigint;
}
