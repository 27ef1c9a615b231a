import { Budget } from './budget.ts';
import { decimalOfBudget } from './budget-amount.ts';
import { builder } from './builder.ts';
import { requireUuidOfKind } from './global-id.ts';
import { idempotencyKeyField, MutationPayload, payloadOf } from './mutation-payload.ts';
import type { ChangeOutcome } from './ports/change-outcome.ts';
import type { ReleasedRow } from './ports/lease-changes.ts';
import { ProxyNode } from './proxy-node.ts';

const ReleasePayload = builder.objectRef<ChangeOutcome<ReleasedRow>>('BudgetLeaseReleasePayload').implement({
  interfaces: [MutationPayload],
  fields: (t) => ({
    budget: t.field({ type: Budget, nullable: true, resolve: ({ entityId }) => entityId }),
    freed: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'What can be leased again, in the unit of the limit. Null where nothing was done, or in a replay.',
      resolve: ({ row }) => (row === null ? null : decimalOfBudget(row.unit, row.freed)),
    }),
  }),
});

const DeclareLostPayload = builder.objectRef<ChangeOutcome<null>>('NodeDeclareLostPayload').implement({
  interfaces: [MutationPayload],
  fields: (t) => ({
    node: t.field({
      type: ProxyNode,
      nullable: true,
      resolve: async ({ entityId }, _args, context) => (entityId === null ? null : context.leases.proxyById(entityId)),
    }),
  }),
});

const ReleaseInput = builder.inputType('BudgetLeaseReleaseInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    stateId: t.id({ required: true, description: 'Of the `BudgetState` that the lease is of.' }),
    nodeId: t.id({ required: true }),
    epoch: t.field({ type: 'BigInt', required: true }),
    spent: t.field({
      type: 'Decimal',
      required: true,
      defaultValue: 0n,
      description:
        'What is known to have been spent from it, in the unit of the limit, such as by the books of the provider; at least what is booked is taken.',
    }),
    reason: t.string({ required: true, description: '1 to 500 characters; stands in the audit log and as the cause of the lease.' }),
  }),
});
const DeclareLostInput = builder.inputType('NodeDeclareLostInput', {
  fields: (t) => ({
    idempotencyKey: t.string(idempotencyKeyField),
    nodeId: t.id({ required: true }),
    reason: t.string({ required: true, description: '1 to 500 characters; stands in the audit log of the installation.' }),
  }),
});

const requireNode = (id: string): string => requireUuidOfKind('node', 'ProxyNode', id);

builder.mutationFields((t) => ({
  budgetLeaseRelease: t.field({
    type: ReleasePayload,
    description:
      'Closes a lease that is LOST or UNPROVEN at what was spent of it; the rest can be leased again. What its proxy books later all the same is an overrun. No other lease can be released: its proxy lives, or proves at its next start what it spent.',
    authScopes: { permission: 'budget:release' },
    args: { input: t.arg({ type: ReleaseInput, required: true }) },
    resolve: (_root, { input: { stateId, nodeId, ...input } }, context) =>
      payloadOf(() =>
        context.changes.budgetLeaseRelease({
          ...input,
          counterId: requireUuidOfKind('counter', 'BudgetState', stateId),
          proxyId: requireNode(nodeId),
        }),
      ),
  }),
  nodeDeclareLost: t.field({
    type: DeclareLostPayload,
    description:
      'Says that a proxy and its folder are gone for good: what it holds of any budget is LOST from now on, and can be released. One that turns up again takes back what was not released.',
    authScopes: { permission: 'installation:admin' },
    args: { input: t.arg({ type: DeclareLostInput, required: true }) },
    resolve: (_root, { input: { nodeId, ...input } }, context) =>
      payloadOf(() => context.changes.nodeDeclareLost({ ...input, proxyId: requireNode(nodeId) })),
  }),
}));
