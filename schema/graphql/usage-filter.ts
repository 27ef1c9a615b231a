import type { IdKind } from '../values/ids.ts';
import { badInput } from './bad-input.ts';
import { builder } from './builder.ts';
import { IdFilter, OutcomeFilter, TagFilter, TextFilter, valuesOf } from './comparators.ts';
import { requireUuidOfKind } from './global-id.ts';
import type { UsageDimension, UsageFilter } from './ports/usage-reads.ts';

interface Comparator {
  readonly eq?: string | null | undefined;
  readonly in?: readonly string[] | null | undefined;
}

interface UsageFilterShape {
  readonly apiKeyId?: Comparator | null | undefined;
  readonly teamId?: Comparator | null | undefined;
  readonly userId?: Comparator | null | undefined;
  readonly serviceAccountId?: Comparator | null | undefined;
  readonly routeId?: Comparator | null | undefined;
  readonly provider?: Comparator | null | undefined;
  readonly model?: Comparator | null | undefined;
  readonly outcome?: Comparator | null | undefined;
  readonly tag?: { readonly key: string; readonly in?: readonly string[] | null | undefined } | null | undefined;
}

/** `usage(filter:)` and `usageTicks(filter:)`: what rollups can be narrowed by. */
export const UsageFilterInput = builder.inputRef<UsageFilterShape>('UsageFilter').implement({
  description: 'All fields given must hold.',
  fields: (t) => ({
    apiKeyId: t.field({ type: IdFilter }),
    teamId: t.field({ type: IdFilter }),
    userId: t.field({ type: IdFilter }),
    serviceAccountId: t.field({ type: IdFilter }),
    routeId: t.field({ type: IdFilter }),
    provider: t.field({ type: TextFilter }),
    model: t.field({ type: TextFilter }),
    outcome: t.field({ type: OutcomeFilter }),
    tag: t.field({ type: TagFilter, description: 'Only an activated tag key has rollups.' }),
  }),
});

export const Dimension = builder.enumType('Dimension', {
  values: [
    'API_KEY',
    'TEAM',
    'USER',
    'SERVICE_ACCOUNT',
    'MODEL',
    'PROVIDER',
    'ROUTE',
    'OUTCOME',
    'TAG',
  ] as const satisfies readonly UsageDimension[],
});

/** One dimension to group by; TAG needs the tag's key. */
export const GroupByInput = builder.inputType('UsageGroupBy', {
  fields: (t) => ({
    dimension: t.field({ type: Dimension, required: true }),
    tagKey: t.string({ description: 'Of dimension TAG: an activated tag key.' }),
  }),
});

/** @throws GraphQLError `BAD_USER_INPUT` for an id of another type. */
export function parseUsageFilter(shape: UsageFilterShape | null | undefined): UsageFilter {
  const uuids = (kind: IdKind, what: string, comparator: Comparator | null | undefined): readonly string[] | null =>
    valuesOf(comparator)?.map((id) => requireUuidOfKind(kind, what, id)) ?? null;
  return {
    apiKeyIds: uuids('apiKey', 'ApiKey', shape?.apiKeyId),
    teamIds: uuids('team', 'Team', shape?.teamId),
    userIds: uuids('user', 'User', shape?.userId),
    serviceAccountIds: uuids('serviceAccount', 'ServiceAccount', shape?.serviceAccountId),
    routeIds: uuids('route', 'Route', shape?.routeId),
    providers: valuesOf(shape?.provider),
    models: valuesOf(shape?.model),
    outcomes: valuesOf(shape?.outcome),
    tag: shape?.tag == null ? null : { key: shape.tag.key, values: shape.tag.in ?? null },
  };
}

/**
 * Dimensions and, where one is TAG, its key.
 * @throws GraphQLError `BAD_USER_INPUT` for more than two, one twice, a TAG without key, or a tag key other than the filter's.
 */
export function parseGroupBy(
  groupBy: readonly { readonly dimension: UsageDimension; readonly tagKey?: string | null | undefined }[],
  filter: UsageFilter,
): { readonly groupBy: readonly UsageDimension[]; readonly tagKey: string | null } {
  const dimensions = groupBy.map(({ dimension }) => dimension);
  if (dimensions.length > 2) throw badInput('Group by at most two dimensions.');
  if (new Set(dimensions).size < dimensions.length) throw badInput('Group by each dimension once.');
  const tag = groupBy.find(({ dimension }) => dimension === 'TAG');
  if (groupBy.some(({ dimension, tagKey }) => (dimension === 'TAG') !== (tagKey != null)))
    throw badInput('Dimension TAG, and only it, needs a `tagKey`.');
  const tagKey = tag?.tagKey ?? null;
  if (tagKey !== null && filter.tag !== null && filter.tag.key !== tagKey) {
    throw badInput('Grouping by one tag and filtering by another cannot be answered: rollups know one tag at a time.');
  }
  return { groupBy: dimensions, tagKey };
}
