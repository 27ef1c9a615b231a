import { SUBJECT_HEADER } from '../events/request-settled.v1.ts';
import { DEAD_LETTER_STATES } from '../values/dead-letter-state.ts';
import { idFromUuid } from '../values/ids.ts';
import { builder } from './builder.ts';
import { InstantFilter, TextFilter, valuesOf } from './comparators.ts';
import { requireUuid } from './global-id.ts';
import { NameValue, nameValues } from './name-value.ts';
import { notFound } from './not-found.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { DeadLetterRow } from './ports/dead-letter-reads.ts';
import { holdsOf, RequestHold } from './request-hold.ts';

const descriptions = {
  open: 'It waits for somebody to retry or discard it.',
  retrying: 'The ledger has been asked to take it again, and does so within seconds.',
  posted: 'Its event is in the ledger. Final.',
  discarded: 'It was put aside. Final.',
} as const;

const DeadLetterState = builder.enumType('DeadLetterState', {
  description: 'What became of a dead letter.',
  values: Object.fromEntries(
    DEAD_LETTER_STATES.map((state) => [state.toUpperCase(), { value: state, description: descriptions[state] }] as const),
  ),
});

export const DeadLetter = builder.loadableNodeRef('DeadLetter', {
  id: { resolve: (row: DeadLetterRow) => row.id },
  load: async (ids: string[], context) => [...(await context.deadLetters.deadLettersById(ids))],
});

DeadLetter.implement({
  description: 'A record of the event log that the ledger could not book. Its bytes are kept until it is posted after all, or discarded.',
  fields: (t) => ({
    state: t.field({ type: DeadLetterState, resolve: (row) => row.state }),
    reason: t.exposeString('reason', { description: 'Why it was not booked, such as `unparseable`, `unknown_version` or `id_reuse`.' }),
    detail: t.exposeString('detail', { description: 'What was wrong and where; never a value out of the record.' }),
    organizationId: t.id({
      nullable: true,
      description: 'As the event says. Null where none could be read: only who administers the installation sees such a letter.',
      resolve: ({ organization_id }) => (organization_id === null ? null : idFromUuid('organization', organization_id)),
    }),
    topic: t.exposeString('topic'),
    partition: t.exposeInt('partition'),
    offset: t.expose('log_offset', { type: 'BigInt' }),
    recordedAt: t.expose('recorded_at', { type: 'DateTime' }),
    key: t.exposeString('record_key', { nullable: true, description: "The record's; null once the letter is closed." }),
    headers: t.loadableList({
      type: NameValue,
      description: 'As text and without `subject`; none once the letter is closed.',
      extensions: { cost: () => 2 },
      load: async (ids: string[], context) =>
        (await context.deadLetters.headersById(ids)).map((headers) =>
          nameValues(headers ?? {}).filter(({ name }) => name !== SUBJECT_HEADER),
        ),
      resolve: (row) => row.id,
    }),
    hasSubject: t.exposeBoolean('has_subject', { description: 'Whether it carries personal data.' }),
    subject: t.loadable({
      type: 'String',
      nullable: true,
      description: 'Personal data that the record carries beside the event: JSON text, where it is what it should be.',
      authScopes: { permission: 'dead_letter:read_subject' },
      extensions: { cost: () => 2 },
      load: async (ids: string[], context) =>
        (await context.deadLetters.headersById(ids)).map((headers) => headers?.[SUBJECT_HEADER] ?? null),
      resolve: (row) => row.id,
    }),
    size: t.exposeInt('size', { description: 'Bytes of the value.' }),
    sha256: t.exposeString('sha256', { description: 'Of the value, in hex; it stays when the value is erased.' }),
    value: t.loadable({
      type: 'String',
      nullable: true,
      description: 'The bytes as they came, in base64; null once the letter is closed.',
      // 64 KiB, and a megabyte where it is oversized, which is seen by who administers the installation alone.
      extensions: { cost: () => 10 },
      load: async (ids: string[], context) => (await context.deadLetters.valuesById(ids)).map((value) => value?.toString('base64') ?? null),
      resolve: (row) => row.id,
    }),
    retries: t.exposeInt('retries', { description: 'How often the ledger has taken it again.' }),
    retryRequestedAt: t.expose('retry_requested_at', { type: 'DateTime', nullable: true }),
    retriedAt: t.expose('retried_at', { type: 'DateTime', nullable: true, description: 'When the latest retry ended.' }),
    retryReason: t.exposeString('retry_reason', { nullable: true, description: 'Why the latest retry did not book it either.' }),
    retryDetail: t.exposeString('retry_detail', { nullable: true }),
    closedAt: t.expose('closed_at', { type: 'DateTime', nullable: true, description: 'When it was posted or discarded.' }),
    requestId: t.id({
      nullable: true,
      description: 'Of the request that it was booked as.',
      resolve: ({ request_id }) => (request_id === null ? null : idFromUuid('request', request_id)),
    }),
    discardReason: t.exposeString('discard_reason', { nullable: true }),
    settledHolds: t.loadableList({
      type: RequestHold,
      description:
        'What its event had debited of budgets and rate limits, and was settled when the letter was discarded, since its call may have been made. None while it is open, and where the event cannot be read, is in the ledger after all, or was discarded with another letter.',
      extensions: { cost: () => 2 },
      load: async (ids: string[], context) =>
        holdsOf(
          context.leases,
          (await context.deadLetters.settledHoldsById(ids)).map((holds) => ({ holds: holds ?? [], isOrphan: true, cause: 'discarded' })),
        ),
      resolve: (row) => row.id,
    }),
  }),
});

const StateFilter = builder.inputType('DeadLetterStateFilter', {
  fields: (t) => ({ eq: t.field({ type: DeadLetterState }), in: t.field({ type: [DeadLetterState] }) }),
});

const DeadLetterFilterInput = builder.inputType('DeadLetterFilter', {
  fields: (t) => ({
    state: t.field({ type: StateFilter }),
    reason: t.field({ type: TextFilter }),
    organizationId: t.id(),
    hasOrganization: t.boolean({ description: 'False: those that no organization could be read from.' }),
    recordedAt: t.field({ type: InstantFilter }),
  }),
});

builder.queryFields((t) => ({
  deadLetter: t.field({
    type: DeadLetter,
    nullable: true,
    authScopes: { permission: 'dead_letter:read' },
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, context) => {
      const [row] = await context.deadLetters.deadLettersById([requireUuid('DeadLetter', id)]);
      if (row == null) throw notFound();
      return row;
    },
  }),
  deadLetters: t.connection({
    type: DeadLetter,
    description: "Newest first: the key's own organization's, or all of them where the key administers the installation.",
    authScopes: { permission: 'dead_letter:read' },
    args: { filter: t.arg({ type: DeadLetterFilterInput }) },
    resolve: async (_root, args, context) => {
      const { filter: asked } = args;
      const states = valuesOf(asked?.state);
      const filter = {
        states: states === null ? null : DEAD_LETTER_STATES.filter((state) => states.includes(state)),
        reasons: valuesOf(asked?.reason),
        organizationId: asked?.organizationId == null ? null : requireUuid('Organization', asked.organizationId),
        hasOrganization: asked?.hasOrganization ?? null,
        from: asked?.recordedAt?.gte ?? null,
        to: asked?.recordedAt?.lt ?? null,
      };
      const identity = listIdentity('deadLetters', filter);
      const request = parsePage(args, identity);
      const page = await context.deadLetters.deadLetters(request, filter);
      return connectionOf(page, request, identity, (row) => ({ sort: row.id, id: row.id }));
    },
  }),
}));
