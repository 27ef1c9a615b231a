import type { SelectQueryBuilder } from 'kysely';
import { sql } from 'kysely';
import { badInput } from '../../../schema/graphql/bad-input.ts';
import type { Page, PageKey, PageRequest } from '../../../schema/graphql/page.ts';
import type { Database } from '../../../schema/tables/database.ts';

/** What a list is ordered by: a column and the uuid that breaks its ties. Without a column the ids are the order: they grow with time. */
export interface KeysetOrder {
  readonly column: { readonly name: string; readonly type: 'text' | 'instant' } | null;
  readonly id: string;
  readonly descending: boolean;
}

/** Ids grow with time. */
export const inCreationOrder: KeysetOrder = { column: null, id: 'id', descending: false };

function tupleOf(order: KeysetOrder, key: PageKey) {
  if (order.column === null) return sql`(${key.id}::uuid)`;
  if (order.column.type === 'text') return sql`(${key.sort}::text, ${key.id}::uuid)`;
  const time = /^-?\d{1,15}$/.test(key.sort) ? Number(key.sort) : Number.NaN;
  if (Number.isNaN(time)) throw badInput('This is not a cursor of this API.');
  return sql`(${new Date(time)}::timestamptz, ${key.id}::uuid)`;
}

/** Reads one page by its keys, never by offset: rows that come and go before it do not shift it. */
export async function readPage<Tables extends keyof Database, Row>(
  query: SelectQueryBuilder<Database, Tables, Row>,
  page: PageRequest,
  order: KeysetOrder,
): Promise<Page<Row>> {
  const columns = order.column === null ? sql`(${sql.ref(order.id)})` : sql`(${sql.ref(order.column.name)}, ${sql.ref(order.id)})`;
  const beyond = (key: PageKey, afterIt: boolean) =>
    sql<boolean>`${columns} ${sql.raw(afterIt !== order.descending ? '>' : '<')} ${tupleOf(order, key)}`;
  // Reading from the end runs the order backwards, and turns the rows round again.
  const direction = order.descending !== page.fromEnd ? 'desc' : 'asc';
  let narrowed = query;
  if (page.after !== null) narrowed = narrowed.where(beyond(page.after, true));
  if (page.before !== null) narrowed = narrowed.where(beyond(page.before, false));
  if (order.column !== null) narrowed = narrowed.orderBy(sql.ref(order.column.name), direction);
  const found = await narrowed
    .orderBy(sql.ref(order.id), direction)
    .limit(page.limit + 1)
    .execute();
  const rows = found.slice(0, page.limit);
  return { rows: page.fromEnd ? rows.reverse() : rows, more: found.length > page.limit };
}

/** Rows in the order of the keys asked for, null where there is none: what a dataloader wants. */
export function inOrderOf<Row>(keys: readonly string[], rows: readonly Row[], keyOf: (row: Row) => string): (Row | null)[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  return keys.map((key) => byKey.get(key) ?? null);
}
