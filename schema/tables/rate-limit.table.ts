import type { ColumnType } from 'kysely';
import type { RateLimitDefinition } from '../values/rate-limit.ts';

/** What an organization wants of a rate limit. */
export interface RateLimitTable {
  id: ColumnType<string, string, never>;
  organization_id: ColumnType<string, string, never>;
  name: string;
  definition: ColumnType<RateLimitDefinition, string, string>;
  version: number;
  created_at: ColumnType<Date, Date, never>;
  updated_at: Date;
  archived_at: Date | null;
}
