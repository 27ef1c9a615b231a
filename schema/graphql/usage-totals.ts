import type { IdKind } from '../values/ids.ts';
import { idFromUuid } from '../values/ids.ts';
import { percentileMs } from '../values/latency-histogram.ts';
import { ApiKey } from './api-key.ts';
import { builder } from './builder.ts';
import { Money } from './money.ts';
import type { UsageDimension, UsageGroupKey, UsageSums } from './ports/usage-reads.ts';
import { readable } from './readable.ts';
import { Route } from './route.ts';
import { ServiceAccount } from './service-account.ts';
import { Team } from './team.ts';
import { TokenCounts } from './token-counts.ts';
import { Dimension } from './usage-filter.ts';
import { User } from './user.ts';

/** Rollups hold the nil uuid where a request had no team. */
const nilUuid = '00000000-0000-0000-0000-000000000000';

export const UsageTotals = builder.objectRef<UsageSums>('UsageTotals').implement({
  description: 'Sums. A latency is read from histograms that add up, exact to a fifth.',
  fields: (t) => ({
    requests: t.expose('requests', { type: 'BigInt' }),
    succeeded: t.expose('succeeded', { type: 'BigInt' }),
    failed: t.expose('failed', { type: 'BigInt' }),
    cancelled: t.expose('cancelled', { type: 'BigInt' }),
    blocked: t.expose('blocked', { type: 'BigInt' }),
    rejected: t.expose('rejected', { type: 'BigInt' }),
    cached: t.expose('cached', { type: 'BigInt' }),
    orphaned: t.expose('orphaned', { type: 'BigInt' }),
    unrated: t.expose('unratedRequests', {
      type: 'BigInt',
      description: 'Requests without a cost: they are not in `cost`, and they were not free.',
    }),
    estimated: t.expose('estimatedRequests', { type: 'BigInt', description: 'Requests whose tokens are an estimate of ours.' }),
    streamed: t.expose('streamedRequests', { type: 'BigInt' }),
    tokens: t.field({ type: TokenCounts, resolve: ({ tokens }) => tokens }),
    cost: t.field({ type: Money, description: 'Of the rated requests.', resolve: ({ costPicoUsd }) => costPicoUsd }),
    firstByteP50: t.field({ type: 'Duration', nullable: true, resolve: ({ firstByteHistogram }) => percentileMs(firstByteHistogram, 0.5) }),
    firstByteP95: t.field({
      type: 'Duration',
      nullable: true,
      resolve: ({ firstByteHistogram }) => percentileMs(firstByteHistogram, 0.95),
    }),
    latencyP50: t.field({ type: 'Duration', nullable: true, resolve: ({ totalHistogram }) => percentileMs(totalHistogram, 0.5) }),
    latencyP95: t.field({ type: 'Duration', nullable: true, resolve: ({ totalHistogram }) => percentileMs(totalHistogram, 0.95) }),
    latencyP99: t.field({ type: 'Duration', nullable: true, resolve: ({ totalHistogram }) => percentileMs(totalHistogram, 0.99) }),
  }),
});

interface DimensionValueShape {
  readonly dimension: UsageDimension;
  readonly value: string;
}

/** Dimensions whose value is an id; those of the others are names. */
const kindOfDimension: Readonly<Partial<Record<UsageDimension, IdKind>>> = {
  API_KEY: 'apiKey',
  TEAM: 'team',
  USER: 'user',
  SERVICE_ACCOUNT: 'serviceAccount',
  ROUTE: 'route',
};

const uuidOf = ({ value }: DimensionValueShape): string | null => (value === nilUuid || value === '' ? null : value);

const DimensionValue = builder.objectRef<DimensionValueShape>('DimensionValue').implement({
  fields: (t) => ({
    dimension: t.field({ type: Dimension, resolve: ({ dimension }) => dimension }),
    value: t.string({
      nullable: true,
      description: 'The id of a key, team, user, service account or route, else the name; null where the requests had none.',
      resolve: (part) => {
        const kind = kindOfDimension[part.dimension];
        if (kind === undefined) return part.value === '' ? null : part.value;
        const uuid = uuidOf(part);
        return uuid === null ? null : idFromUuid(kind, uuid);
      },
    }),
    apiKey: t.field({ type: ApiKey, nullable: true, resolve: (part) => (part.dimension === 'API_KEY' ? uuidOf(part) : null) }),
    team: t.field({ type: Team, nullable: true, resolve: (part) => (part.dimension === 'TEAM' ? uuidOf(part) : null) }),
    user: t.field({
      type: User,
      nullable: true,
      description: 'null also for who may not read users.',
      resolve: (part, _args, context) => (part.dimension === 'USER' ? readable(context, 'User', uuidOf(part)) : null),
    }),
    serviceAccount: t.field({
      type: ServiceAccount,
      nullable: true,
      resolve: (part) => (part.dimension === 'SERVICE_ACCOUNT' ? uuidOf(part) : null),
    }),
    route: t.field({ type: Route, nullable: true, resolve: (part) => (part.dimension === 'ROUTE' ? uuidOf(part) : null) }),
  }),
});

interface GroupShape {
  readonly question: { readonly groupBy: readonly UsageDimension[] };
  readonly group: UsageGroupKey;
  readonly sums: UsageSums;
}

/** One line of the table, or one point of the chart. */
export const UsageGroup = builder.objectRef<GroupShape>('UsageGroup').implement({
  fields: (t) => ({
    key: t.field({
      type: [DimensionValue],
      description: 'In the order of `groupBy`; empty for the group that holds the rest.',
      resolve: ({ question, group }) => (group ?? []).map((value, index) => ({ dimension: question.groupBy[index] ?? 'MODEL', value })),
    }),
    isOther: t.boolean({ resolve: ({ group }) => group === null }),
    totals: t.field({ type: UsageTotals, resolve: ({ sums }) => sums }),
  }),
});
