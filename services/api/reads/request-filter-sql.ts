import type { RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type { FilterableText, RequestFilter } from '../../../schema/graphql/ports/request-filter.ts';

const columns: Readonly<Record<FilterableText, { readonly name: string; readonly type: string }>> = {
  apiKeyId: { name: 'api_key_id', type: 'uuid' },
  teamId: { name: 'team_id', type: 'uuid' },
  provider: { name: 'provider', type: 'text' },
  model: { name: 'model', type: 'text' },
  outcome: { name: 'outcome', type: 'text' },
  errorCode: { name: 'error_code', type: 'text' },
};

const join = (parts: readonly RawBuilder<boolean>[], operator: 'and' | 'or', empty: boolean): RawBuilder<boolean> =>
  parts.length === 0 ? sql`${sql.lit(empty)}` : sql`(${sql.join([...parts], sql.raw(` ${operator} `))})`;

/** A condition on `ledger_entries`, never null, so that `not` means what it says. Says the same as request-filter-match.ts. */
export function requestFilterSql(filter: RequestFilter): RawBuilder<boolean> {
  switch (filter.kind) {
    case 'and':
      return join(filter.parts.map(requestFilterSql), 'and', true);
    case 'or':
      return join(filter.parts.map(requestFilterSql), 'or', false);
    case 'not':
      return sql`(not ${requestFilterSql(filter.part)})`;
    case 'text': {
      const { name, type } = columns[filter.field];
      return sql`coalesce(${sql.ref(name)} = any(${[...filter.values]}::${sql.raw(type)}[]), false)`;
    }
    case 'stream':
      return sql`(stream = ${filter.value})`;
    case 'rated':
      return filter.value ? sql`(cost is not null)` : sql`(cost is null)`;
    case 'occurredAt':
      return join(
        [
          ...(filter.from === null ? [] : [sql<boolean>`occurred_at >= ${filter.from}`]),
          ...(filter.to === null ? [] : [sql<boolean>`occurred_at < ${filter.to}`]),
        ],
        'and',
        true,
      );
    case 'tag':
      return filter.values === null
        ? sql`(tags ? ${filter.key})`
        : sql`coalesce(tags ->> ${filter.key} = any(${[...filter.values]}::text[]), false)`;
  }
}
