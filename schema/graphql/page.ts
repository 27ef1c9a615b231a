import { createHash } from 'node:crypto';
import { badInput } from './bad-input.ts';

/** Largest page of any list. */
const LARGEST_PAGE = 100;

/** Where a page ends: the value it is sorted by, as text, and the uuid that breaks ties. */
export interface PageKey {
  readonly sort: string;
  readonly id: string;
}

/** A page to read: `limit` rows after or before a key, in the list's order or, for `last`, from its end. */
export interface PageRequest {
  readonly limit: number;
  readonly fromEnd: boolean;
  readonly after: PageKey | null;
  readonly before: PageKey | null;
}

/** Rows in the list's order, and whether more lie beyond the side that was cut. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly more: boolean;
}

interface PageArguments {
  readonly first?: number | null | undefined;
  readonly last?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly before?: string | null | undefined;
}

/** Whatever else decides which rows a list has and in which order: a cursor is good only for the list it came from. */
export function listIdentity(field: string, filter: unknown): string {
  const text = JSON.stringify([field, filter ?? null], (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

/** @throws GraphQLError `BAD_USER_INPUT` where not exactly one of `first` and `last` is given, or a cursor is not of this list. */
export function parsePage(page: PageArguments, identity: string): PageRequest {
  const { first, last } = page;
  if ((first == null) === (last == null)) throw badInput('Give exactly one of `first` and `last`.');
  const limit = first ?? last ?? 0;
  if (limit < 1 || limit > LARGEST_PAGE) throw badInput(`\`first\` and \`last\` are from 1 to ${LARGEST_PAGE}.`);
  return {
    limit,
    fromEnd: last != null,
    after: page.after == null ? null : decodeCursor(page.after, identity),
    before: page.before == null ? null : decodeCursor(page.before, identity),
  };
}

const cursorVersion = 1;

/** Opaque to clients: version, list, sort value and id. */
function encodeCursor(key: PageKey, identity: string): string {
  return Buffer.from(JSON.stringify([cursorVersion, identity, key.sort, key.id])).toString('base64url');
}

function decodeCursor(cursor: string, identity: string): PageKey {
  const [version, list, sort, id] = cursorParts(cursor);
  if (version !== cursorVersion || typeof sort !== 'string' || typeof id !== 'string' || !/^[0-9a-f-]{36}$/.test(id)) {
    throw badInput('This is not a cursor of this API.');
  }
  if (list !== identity) throw badInput('This cursor comes from another list, filter or order.');
  return { sort, id };
}

function cursorParts(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}

/** A Relay connection over a page. */
export function connectionOf<Row>(page: Page<Row>, request: PageRequest, identity: string, keyOf: (row: Row) => PageKey) {
  const edges = page.rows.map((row) => ({ node: row, cursor: encodeCursor(keyOf(row), identity) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: request.fromEnd ? request.before !== null : page.more,
      hasPreviousPage: request.fromEnd ? page.more : request.after !== null,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
