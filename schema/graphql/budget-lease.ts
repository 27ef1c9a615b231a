import type { BudgetUnit } from '../values/budget.ts';
import { idFromUuid, uuidTimeMs } from '../values/ids.ts';
import { badInput } from './bad-input.ts';
import { BudgetUnit as BudgetUnitType } from './budget.ts';
import { decimalOfBudget } from './budget-amount.ts';
import { BudgetState } from './budget-state.ts';
import { builder } from './builder.ts';
import { connectionOf, listIdentity, parsePage } from './page.ts';
import type { LeaseRow, MovementRow, OldestHoldRow, OpenHoldsRow } from './ports/lease-reads.ts';
import { ProxyNode } from './proxy-node.ts';

const LeaseState = builder.enumType('LeaseState', {
  description:
    'OPEN: its proxy spends from it. RECALLED: somebody came up short, and idle room is called back. SILENT: the proxy was not heard of for five minutes. CLOSED: over, with settlements to come. UNPROVEN: over, and what was spent is not known for sure. LOST: with its proxy. DONE: nothing is left of it.',
  values: {
    OPEN: { value: 'open' },
    RECALLED: { value: 'recalled' },
    SILENT: { value: 'silent' },
    CLOSED: { value: 'closed' },
    UNPROVEN: { value: 'unproven' },
    LOST: { value: 'lost' },
    DONE: { value: 'done' },
  } as const,
});

const leaseAmount = (name: 'granted' | 'returned' | 'posted' | 'left' | 'lost' | 'uncovered') => (row: LeaseRow) =>
  decimalOfBudget(row.unit, row[name]);

const Lease = builder.objectRef<LeaseRow>('Lease').implement({
  description: 'Room that a proxy was given of a limit, to spend without asking; in the unit of the limit.',
  fields: (t) => ({
    node: t.field({ type: ProxyNode, resolve: ({ proxy }) => proxy }),
    epoch: t.expose('epoch', { type: 'BigInt', description: 'Which boot of the proxy took it.' }),
    state: t.field({ type: LeaseState, resolve: ({ state }) => state }),
    granted: t.field({ type: 'Decimal', resolve: leaseAmount('granted') }),
    returned: t.field({ type: 'Decimal', resolve: leaseAmount('returned') }),
    posted: t.field({ type: 'Decimal', description: 'Debits of its requests that are booked.', resolve: leaseAmount('posted') }),
    left: t.field({
      type: 'Decimal',
      description: 'What is held of the limit by it: granted - returned - posted, at least 0.',
      resolve: leaseAmount('left'),
    }),
    lost: t.field({ type: 'Decimal', description: 'The part of `left` that only a person can release.', resolve: leaseAmount('lost') }),
    uncovered: t.field({ type: 'Decimal', description: 'Posted beyond its room: an overrun.', resolve: leaseAmount('uncovered') }),
    cause: t.exposeString('cause', {
      nullable: true,
      description: 'Why it was closed: `register` by the next boot of its proxy, `over` with its window, or the reason that a person gave.',
    }),
    grantedAt: t.expose('grantedAt', { type: 'DateTime', nullable: true, description: 'Last.' }),
    closedAt: t.expose('closedAt', { type: 'DateTime', nullable: true }),
  }),
});

const MovementKind = builder.enumType('BudgetMovementKind', {
  description:
    'GRANT: a proxy was given room. RETURN: it gave some back. CLOSE: a lease ended at what was spent of it. CREDIT: something cost less than was debited. AGE: use left a rolling window. RELEASE: a person released a lease. RECONCILE: what proxies told after a restore. SUMMARY: all that came before it, of a window that has been over for a quarter.',
  values: {
    GRANT: { value: 'grant' },
    RETURN: { value: 'return' },
    CLOSE: { value: 'close' },
    CREDIT: { value: 'credit' },
    AGE: { value: 'age' },
    RELEASE: { value: 'release' },
    RECONCILE: { value: 'reconcile' },
    SUMMARY: { value: 'summary' },
  } as const,
});

const movementAmount = (name: 'amount' | 'committed' | 'cap') => (row: MovementRow) => decimalOfBudget(row.unit, row[name]);

const Movement = builder.objectRef<MovementRow>('BudgetMovement').implement({
  description:
    'One change of what is committed of a limit: settled + held - overrun. Nothing of the log is ever changed; a quarter after the end of its window it becomes one SUMMARY.',
  fields: (t) => ({
    version: t.expose('version', { type: 'BigInt', description: 'Dense: 1, 2, 3 …, or from that of a SUMMARY on.' }),
    kind: t.field({ type: MovementKind, resolve: ({ kind }) => kind }),
    amount: t.field({ type: 'Decimal', description: 'Adding these up gives `committed`.', resolve: movementAmount('amount') }),
    committed: t.field({ type: 'Decimal', description: 'After it; never above `cap`.', resolve: movementAmount('committed') }),
    cap: t.field({ type: 'Decimal', description: 'The limit at the last grant.', resolve: movementAmount('cap') }),
    node: t.field({ type: ProxyNode, nullable: true, resolve: ({ proxy }) => proxy }),
    epoch: t.expose('epoch', { type: 'BigInt', nullable: true }),
    cause: t.exposeString('cause', { nullable: true }),
    recordedAt: t.expose('recordedAt', { type: 'DateTime' }),
  }),
});

interface OpenHold {
  readonly requestId: string;
  readonly unit: BudgetUnit;
  readonly amount: bigint;
}

const OpenHoldType = builder.objectRef<OpenHold>('OpenHold').implement({
  description: 'What is held for one request in flight.',
  fields: (t) => ({
    requestId: t.id({ description: 'Of the request as it will be booked.', resolve: ({ requestId }) => idFromUuid('request', requestId) }),
    amount: t.field({ type: 'Decimal', resolve: ({ unit, amount }) => decimalOfBudget(unit, amount) }),
    since: t.field({ type: 'DateTime', description: 'When it was admitted.', resolve: ({ requestId }) => new Date(uuidTimeMs(requestId)) }),
  }),
});

const silentSince =
  'Not null: its proxy says each second that it lives, and has not done so since then. What it told is what it held before: its next start settles these requests, as orphans where it died.';

const OpenHoldsType = builder.objectRef<OpenHoldsRow>('OpenHolds').implement({
  description:
    'What one proxy holds of a limit for requests in flight, as it told within about a second of `toldAt`. A proxy looks at its 5,000 oldest requests and tells of 500 counters at most; what leases hold is exact.',
  fields: (t) => ({
    node: t.field({ type: ProxyNode, resolve: ({ proxy }) => proxy }),
    holds: t.exposeInt('holds'),
    amount: t.field({ type: 'Decimal', resolve: ({ unit, amount }) => decimalOfBudget(unit, amount) }),
    oldest: t.field({
      type: [OpenHoldType],
      description: 'The oldest first; of the 100 oldest requests of the proxy.',
      resolve: ({ unit, oldest }) => oldest.map((hold) => ({ ...hold, unit })),
    }),
    toldAt: t.expose('toldAt', { type: 'DateTime' }),
    silentSince: t.expose('silentSince', {
      type: 'DateTime',
      nullable: true,
      description: silentSince,
    }),
  }),
});

const OldestHold = builder.objectRef<OldestHoldRow>('OldestOpenHold').implement({
  description: 'What is held of one limit for a request in flight, as its proxy told within about a second of `toldAt`.',
  fields: (t) => ({
    requestId: t.id({ description: 'Of the request as it will be booked.', resolve: ({ requestId }) => idFromUuid('request', requestId) }),
    stateId: t.id({ description: 'Of the `BudgetState` it counts in.', resolve: ({ counterId }) => idFromUuid('counter', counterId) }),
    unit: t.field({ type: BudgetUnitType, resolve: ({ unit }) => unit }),
    amount: t.field({ type: 'Decimal', resolve: ({ unit, amount }) => decimalOfBudget(unit, amount) }),
    since: t.field({ type: 'DateTime', description: 'When it was admitted.', resolve: ({ requestId }) => new Date(uuidTimeMs(requestId)) }),
    node: t.field({ type: ProxyNode, resolve: ({ proxy }) => proxy }),
    toldAt: t.expose('toldAt', { type: 'DateTime' }),
    silentSince: t.expose('silentSince', { type: 'DateTime', nullable: true, description: silentSince }),
  }),
});

const LeaseConnection = builder.connectionObject({ type: Lease, name: 'LeaseConnection' });
const MovementConnection = builder.connectionObject({ type: Movement, name: 'BudgetMovementConnection' });

builder.objectFields(BudgetState, (t) => ({
  leases: t.loadable({
    type: LeaseConnection,
    description: 'Who holds it, by proxy and boot.',
    byPath: true,
    args: {
      ...t.arg.connectionArgs(),
      includeDone: t.arg.boolean({ required: true, defaultValue: false, description: 'Also leases of which nothing is left.' }),
    },
    load: async (counterIds: string[], context, args) => {
      const identity = listIdentity('leases', args.includeDone);
      const request = parsePage(args, identity);
      const pages = await context.leases.leases(counterIds, request, args.includeDone);
      return pages.map((page) => connectionOf(page, request, identity, ({ proxy, epoch }) => ({ sort: epoch.toString(), id: proxy.id })));
    },
    resolve: ({ counterId }) => counterId,
  }),
  openHolds: t.loadableList({
    type: OpenHoldsType,
    description:
      'What is held for requests in flight, by proxy. A hold is memory of its proxy: it becomes a cost, or is given back, with its request.',
    load: async (counterIds: string[], context) => [...(await context.leases.openHolds(counterIds))],
    resolve: ({ counterId }) => counterId,
  }),
  movements: t.loadable({
    type: MovementConnection,
    description: 'Every change of what is committed of it, newest first: who was given room, who gave it back, and why it was released.',
    byPath: true,
    args: t.arg.connectionArgs(),
    load: async (counterIds: string[], context, args) => {
      const identity = listIdentity('movements', null);
      const request = parsePage(args, identity);
      const pages = await context.leases.movements(counterIds, request);
      return pages.map((page) => connectionOf(page, request, identity, (row) => ({ sort: row.version.toString(), id: row.counterId })));
    },
    resolve: ({ counterId }) => counterId,
  }),
}));

/** What proxies tell of, each. */
const MOST_HOLDS = 100;

builder.queryFields((t) => ({
  oldestOpenHolds: t.field({
    type: [OldestHold],
    description:
      'The requests in flight that have held something of budgets the longest, the oldest first; one for each limit. A proxy tells of its 100 oldest requests.',
    authScopes: { permission: 'budget:read' },
    args: { first: t.arg.int({ required: true, defaultValue: 20, description: `At most ${MOST_HOLDS}.` }) },
    resolve: async (_root, { first }, context) => {
      if (first < 0 || first > MOST_HOLDS) throw badInput(`\`first\` is 0 to ${MOST_HOLDS}.`);
      return [...(await context.leases.oldestOpenHolds(first))];
    },
  }),
}));
