import type { EntryRow } from '../../schema/graphql/ports/journal-reads.ts';
import type { FilterableText, RequestFilter } from '../../schema/graphql/ports/request-filter.ts';

const columns = {
  apiKeyId: 'api_key_id',
  teamId: 'team_id',
  provider: 'provider',
  model: 'model',
  outcome: 'outcome',
  errorCode: 'error_code',
} as const satisfies Record<FilterableText, keyof EntryRow>;

/** Whether a live entry is meant by a filter. Says the same as reads/request-filter-sql.ts does of a stored one. */
export function matchesRequestFilter(filter: RequestFilter, entry: EntryRow): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.parts.every((part) => matchesRequestFilter(part, entry));
    case 'or':
      return filter.parts.some((part) => matchesRequestFilter(part, entry));
    case 'not':
      return !matchesRequestFilter(filter.part, entry);
    case 'text': {
      const value = entry[columns[filter.field]];
      return value !== null && filter.values.includes(value);
    }
    case 'stream':
      return entry.stream === filter.value;
    case 'rated':
      return (entry.cost !== null) === filter.value;
    case 'occurredAt':
      return (filter.from === null || entry.occurred_at >= filter.from) && (filter.to === null || entry.occurred_at < filter.to);
    case 'tag': {
      const value = Object.hasOwn(entry.tags, filter.key) ? entry.tags[filter.key] : undefined;
      return value !== undefined && (filter.values === null || filter.values.includes(value));
    }
  }
}
