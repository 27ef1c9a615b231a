import type { RawBuilder } from 'kysely';
import { sql } from 'kysely';
import { allows, EVERY_PERMISSION } from '../../../schema/graphql/permission.ts';

/** Of `api_keys`, those that can do nothing beyond what was granted: `allows` in SQL. What is above a viewer does not exist for it. */
export function isCoveredBy(granted: readonly string[]): RawBuilder<boolean> {
  if (!granted.includes(EVERY_PERMISSION)) return sql<boolean>`api_keys.permissions <@ ${[...granted]}::text[]`;
  return allows(granted, 'installation:admin') ? sql<boolean>`true` : sql<boolean>`not 'installation:admin' = any(api_keys.permissions)`;
}
