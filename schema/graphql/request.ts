import { uuidFromId } from '../values/ids.ts';
import { ApiKey } from './api-key.ts';
import { builder } from './builder.ts';
import { Outcome } from './comparators.ts';
import { requireUuid } from './global-id.ts';
import { Money } from './money.ts';
import { NameValue, nameValues } from './name-value.ts';
import { notFound } from './not-found.ts';
import { OrderByTime, oldestFirst } from './order.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { EntryRow } from './ports/journal-reads.ts';
import { readable } from './readable.ts';
import { parseRequestDetails, RequestDetails } from './request-details.ts';
import { parseRequestFilter, RequestFilterInput } from './request-filter.ts';
import { Route } from './route.ts';
import { ServiceAccount } from './service-account.ts';
import { Team } from './team.ts';
import { TokenCounts, tokenCountsOf } from './token-counts.ts';
import { User } from './user.ts';

export const Request = builder.loadableNodeRef('Request', {
  id: { resolve: (row: EntryRow) => row.request_id },
  load: async (ids: string[], context) =>
    (await context.journal.entriesById(ids)).map((row) => (row === null || row.kind !== 'usage' ? null : row)),
});

Request.implement({
  description: 'A request as it was booked, whatever its outcome.',
  fields: (t) => ({
    seq: t.loadable({
      type: 'BigInt',
      nullable: true,
      description: "Its position in the organization's journal; null while it waits for one.",
      load: async (ids: string[], context) => [...(await context.journal.positionsOf('entry', ids))],
      resolve: (row) => row.entry_id,
    }),
    occurredAt: t.expose('occurred_at', { type: 'DateTime', description: 'When it was admitted.' }),
    recordedAt: t.expose('recorded_at', { type: 'DateTime', description: 'When it was booked.' }),
    outcome: t.field({ type: Outcome, resolve: (row) => row.outcome }),
    httpStatus: t.exposeInt('status', { nullable: true, description: 'Sent to the application; 499 where it left before.' }),
    errorCode: t.exposeString('error_code', { nullable: true }),
    endpoint: t.exposeString('endpoint'),
    modelRequested: t.exposeString('model_requested', { nullable: true }),
    model: t.exposeString('model', { nullable: true, description: '`provider/model` as it was chosen.' }),
    provider: t.exposeString('provider', { nullable: true }),
    stream: t.exposeBoolean('stream'),
    apiKey: t.field({ type: ApiKey, nullable: true, resolve: (row) => row.api_key_id }),
    team: t.field({ type: Team, nullable: true, description: 'As it was at admission.', resolve: (row) => row.team_id }),
    user: t.field({
      type: User,
      nullable: true,
      description: 'As it was at admission; null also for who may not read users.',
      resolve: (row, _args, context) => readable(context, 'User', row.user_id),
    }),
    serviceAccount: t.field({
      type: ServiceAccount,
      nullable: true,
      description: 'As it was at admission.',
      resolve: (row) => row.service_account_id,
    }),
    route: t.field({ type: Route, nullable: true, description: 'That chose the model.', resolve: (row) => row.route_id }),
    tags: t.field({ type: [NameValue], resolve: (row) => nameValues(row.tags) }),
    tokens: t.field({ type: TokenCounts, resolve: (row) => tokenCountsOf(row) }),
    isEstimated: t.boolean({ description: 'The tokens are an estimate of ours.', resolve: (row) => row.usage_source === 'estimated' }),
    cost: t.field({
      type: Money,
      nullable: true,
      description: 'Null where it is unrated, for the reason beside it.',
      resolve: (row) => row.cost,
    }),
    unrated: t.exposeString('unrated', { nullable: true, description: 'Why there is no cost.' }),
    priceVersion: t.exposeString('price_version', { nullable: true }),
    flags: t.exposeStringList('flags', { description: 'What was odd, such as a cost that differs from what the application was told.' }),
    firstByteAfter: t.field({ type: 'Duration', nullable: true, resolve: (row) => row.first_byte_ms }),
    duration: t.field({ type: 'Duration', nullable: true, resolve: (row) => row.total_ms }),
    details: t.loadable({
      type: RequestDetails,
      nullable: true,
      description: 'What only the event itself holds; null where its bytes are of another version.',
      load: async (ids: string[], context) =>
        (await context.journal.bodiesById(ids)).map((body) => (body === null ? null : parseRequestDetails(body))),
      resolve: (row) => row.entry_id,
    }),
  }),
});

builder.objectField(RequestDetails, 'replayOf', (t) =>
  t.field({
    type: Request,
    nullable: true,
    description: 'The request of `replayOfId`; null also until it is booked.',
    resolve: ({ replayOf }) => (replayOf === undefined ? null : uuidFromId('request', replayOf)),
  }),
);

builder.queryFields((t) => ({
  request: t.field({
    type: Request,
    nullable: true,
    description: 'By the id that the application got as `x-request-id`.',
    authScopes: { permission: 'request:read' },
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, context) => {
      const [row] = await context.journal.entriesById([requireUuid('Request', id)]);
      if (row == null || row.kind !== 'usage') throw notFound();
      return row;
    },
  }),
  requests: t.connection({
    type: Request,
    description: 'Requests by when they were admitted, newest first unless asked otherwise.',
    authScopes: { permission: 'request:read' },
    args: { filter: t.arg({ type: RequestFilterInput }), orderBy: t.arg({ type: [OrderByTime] }) },
    resolve: async (_root, args, context) => {
      const filter = { requests: parseRequestFilter(args.filter), kinds: ['usage' as const] };
      const ascending = oldestFirst(args.orderBy);
      const identity = listIdentity('requests', [filter, ascending]);
      const request = parsePage(args, identity);
      const page = await context.journal.entries(request, filter, ascending);
      return connectionOf(page, request, identity, (row) => ({ sort: String(row.occurred_at.getTime()), id: row.entry_id }));
    },
  }),
}));
