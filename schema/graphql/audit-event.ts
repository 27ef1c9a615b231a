import { builder } from './builder.ts';
import { InstantFilter } from './comparators.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { AuditEventRow } from './ports/audit-event-reads.ts';

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);
const membersOf = (value: unknown): Members => (isMembers(value) ? value : {});
const listOf = (value: unknown): Members[] => (Array.isArray(value) ? value.filter(isMembers) : []);
const textOf = (members: Members, name: string): string | null => {
  const value = members[name];
  return typeof value === 'string' ? value : null;
};

const Actor = builder.objectRef<Members>('AuditActor').implement({
  description: 'Who acted, as it was called then.',
  fields: (t) => ({
    kind: t.string({ resolve: (actor) => textOf(actor, 'kind') ?? 'system' }),
    id: t.string({ resolve: (actor) => textOf(actor, 'id') ?? '' }),
    name: t.string({ resolve: (actor) => textOf(actor, 'name') ?? '' }),
  }),
});
const Target = builder.objectRef<Members>('AuditTarget').implement({
  description: 'What was acted on, as it was called then.',
  fields: (t) => ({
    type: t.string({ resolve: (target) => textOf(target, 'type') ?? '' }),
    id: t.string({ resolve: (target) => textOf(target, 'id') ?? '' }),
    name: t.string({ resolve: (target) => textOf(target, 'name') ?? '' }),
  }),
});
const FieldChange = builder.objectRef<Members>('FieldChange').implement({
  description: 'One field before and after; never a secret.',
  fields: (t) => ({
    field: t.string({ resolve: (change) => textOf(change, 'field') ?? '' }),
    from: t.field({ type: 'JSON', nullable: true, resolve: (change) => change.from ?? null }),
    to: t.field({ type: 'JSON', nullable: true, resolve: (change) => change.to ?? null }),
  }),
});
const Origin = builder.objectRef<Members>('AuditOrigin').implement({
  description: 'Where the act came from.',
  fields: (t) => ({
    requestId: t.string({ nullable: true, resolve: (origin) => textOf(origin, 'requestId') }),
    address: t.string({ nullable: true, resolve: (origin) => textOf(origin, 'address') }),
    userAgent: t.string({ nullable: true, resolve: (origin) => textOf(origin, 'userAgent') }),
  }),
});

const AuditEvent = builder.loadableNodeRef('AuditEvent', {
  id: { resolve: (row: AuditEventRow) => row.id },
  load: async (ids: string[], context) => [...(await context.audit.auditEventsById(ids))],
});

AuditEvent.implement({
  description: 'What somebody changed, written in the transaction of the change.',
  fields: (t) => ({
    seq: t.loadable({
      type: 'BigInt',
      nullable: true,
      description: "Its position in the organization's journal; null while it waits for one.",
      load: async (ids: string[], context) => [...(await context.journal.positionsOf('audit', ids))],
      resolve: (row) => row.id,
    }),
    occurredAt: t.expose('occurred_at', { type: 'DateTime' }),
    action: t.exposeString('action', { description: '`object.verb`, such as `api_key.create`.' }),
    actor: t.field({ type: Actor, resolve: (row) => membersOf(row.actor) }),
    targets: t.field({ type: [Target], resolve: (row) => listOf(row.targets) }),
    changes: t.field({ type: [FieldChange], resolve: (row) => listOf(row.changes) }),
    origin: t.field({ type: Origin, resolve: (row) => membersOf(row.context) }),
  }),
});

const AuditEventFilterInput = builder.inputType('AuditEventFilter', {
  fields: (t) => ({
    action: t.string(),
    targetId: t.string({ description: 'Such as `key_…`.' }),
    actorId: t.string(),
    occurredAt: t.field({ type: InstantFilter }),
  }),
});

builder.queryFields((t) => ({
  auditEvents: t.connection({
    type: AuditEvent,
    description: 'Newest first.',
    authScopes: { permission: 'audit:read' },
    args: { filter: t.arg({ type: AuditEventFilterInput }) },
    resolve: async (_root, args, context) => {
      const filter = {
        action: args.filter?.action ?? null,
        targetId: args.filter?.targetId ?? null,
        actorId: args.filter?.actorId ?? null,
        from: args.filter?.occurredAt?.gte ?? null,
        to: args.filter?.occurredAt?.lt ?? null,
      };
      const identity = listIdentity('auditEvents', filter);
      const request = parsePage(args, identity);
      const page = await context.audit.auditEvents(request, filter);
      return connectionOf(page, request, identity, (row) => ({ sort: String(row.occurred_at.getTime()), id: row.id }));
    },
  }),
}));
