import { idFromUuid } from '../values/ids.ts';
import { ApiKey } from './api-key.ts';
import { builder } from './builder.ts';
import { Outcome } from './comparators.ts';
import { Money } from './money.ts';
import { NameValue, nameValues } from './name-value.ts';
import { OrderByTime, oldestFirst } from './order.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { EntryRow } from './ports/journal-reads.ts';
import { parseRequestFilter, RequestFilterInput } from './request-filter.ts';
import { Team } from './team.ts';
import { TokenCounts, tokenCountsOf } from './token-counts.ts';

const LedgerEntryKind = builder.enumType('LedgerEntryKind', {
  values: {
    USAGE: { value: 'usage', description: 'What a request used.' },
    ADJUSTMENT: { value: 'adjustment' },
    REVERSAL: { value: 'reversal', description: 'Takes another entry back.' },
    OVERRUN: { value: 'overrun', description: 'What a provider billed above the hold.' },
    CREDIT: { value: 'credit' },
  } as const,
});

const LedgerEntry = builder.loadableNodeRef('LedgerEntry', {
  id: { resolve: (row: EntryRow) => row.entry_id },
  load: async (ids: string[], context) => [...(await context.journal.entriesById(ids))],
});

LedgerEntry.implement({
  description: 'A line of the ledger. It is never changed; a correction is another line.',
  fields: (t) => ({
    seq: t.loadable({
      type: 'BigInt',
      nullable: true,
      description: "Its position in the organization's journal, which is its leaf index; null while it waits for one.",
      load: async (ids: string[], context) => [...(await context.journal.positionsOf('entry', ids))],
      resolve: (row) => row.entry_id,
    }),
    kind: t.field({ type: LedgerEntryKind, resolve: (row) => row.kind }),
    requestId: t.id({ resolve: (row) => idFromUuid('request', row.request_id) }),
    occurredAt: t.expose('occurred_at', { type: 'DateTime' }),
    recordedAt: t.expose('recorded_at', { type: 'DateTime' }),
    amount: t.field({ type: Money, nullable: true, description: 'Null where it is unrated.', resolve: (row) => row.cost }),
    unrated: t.exposeString('unrated', { nullable: true, description: 'Why there is no amount.' }),
    priceVersion: t.exposeString('price_version', { nullable: true }),
    tokens: t.field({ type: TokenCounts, resolve: (row) => tokenCountsOf(row) }),
    isEstimated: t.boolean({ resolve: (row) => row.usage_source === 'estimated' }),
    apiKey: t.field({ type: ApiKey, nullable: true, resolve: (row) => row.api_key_id }),
    team: t.field({ type: Team, nullable: true, resolve: (row) => row.team_id }),
    model: t.exposeString('model', { nullable: true }),
    provider: t.exposeString('provider', { nullable: true }),
    outcome: t.field({ type: Outcome, resolve: (row) => row.outcome }),
    tags: t.field({ type: [NameValue], resolve: (row) => nameValues(row.tags) }),
    flags: t.exposeStringList('flags'),
    reverses: t.id({ nullable: true, resolve: (row) => (row.reverses === null ? null : idFromUuid('entry', row.reverses)) }),
    reason: t.exposeString('reason', { nullable: true }),
  }),
});

builder.queryFields((t) => ({
  ledger: t.connection({
    type: LedgerEntry,
    description: 'Lines of the ledger, newest first unless asked otherwise.',
    authScopes: { permission: 'ledger:read' },
    args: {
      filter: t.arg({ type: RequestFilterInput }),
      kinds: t.arg({ type: [LedgerEntryKind] }),
      orderBy: t.arg({ type: [OrderByTime] }),
    },
    resolve: async (_root, args, context) => {
      const filter = { requests: parseRequestFilter(args.filter), kinds: args.kinds ?? null };
      const ascending = oldestFirst(args.orderBy);
      const identity = listIdentity('ledger', [filter, ascending]);
      const request = parsePage(args, identity);
      const page = await context.journal.entries(request, filter, ascending);
      return connectionOf(page, request, identity, (row) => ({ sort: String(row.occurred_at.getTime()), id: row.entry_id }));
    },
  }),
}));
