import type { BudgetChanges } from '../../../schema/graphql/ports/budgets.ts';
import { archiveBudget, createBudget, raiseBudget, resetBudget, topUpBudget, updateBudget } from '../../registry/budgets.ts';
import { requireIdempotencyKey, requireName, requireStatedReason } from './input-checks.ts';
import type { RunChange } from './run-change.ts';

/** The changes of one viewer to the organization's budgets. */
export function createBudgetChanges(run: RunChange, organizationId: string): BudgetChanges {
  return {
    budgetCreate: ({ idempotencyKey, ...given }) => {
      const input = { ...given, name: requireName(given.name) };
      return run(
        { field: 'budgetCreate', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => {
          const { budget, auditEventId } = await createBudget(change, input);
          return { entityId: budget.id, row: null, auditEventId };
        },
      );
    },
    budgetUpdate: (given) => {
      const input = given.name === undefined ? given : { ...given, name: requireName(given.name) };
      return run(
        { field: 'budgetUpdate', idempotencyKey: null, input, organizationId, target: { type: 'Budget', id: input.id } },
        async (change) => {
          const { budget, auditEventId } = await updateBudget(change, input);
          return { entityId: budget.id, row: null, auditEventId };
        },
      );
    },
    budgetReset: (given) => {
      const input = { ...given, reason: requireStatedReason(given.reason) };
      return run(
        { field: 'budgetReset', idempotencyKey: null, input, organizationId, target: { type: 'Budget', id: input.id } },
        async (change) => {
          const { budget, auditEventId } = await resetBudget(change, input);
          return { entityId: budget.id, row: null, auditEventId };
        },
      );
    },
    budgetRaise: (given) => {
      const input = { ...given, reason: requireStatedReason(given.reason) };
      return run(
        { field: 'budgetRaise', idempotencyKey: null, input, organizationId, target: { type: 'Budget', id: input.id } },
        async (change) => {
          const { budget, auditEventId } = await raiseBudget(change, input);
          return { entityId: budget.id, row: null, auditEventId };
        },
      );
    },
    budgetTopUp: ({ idempotencyKey, ...given }) => {
      const input = { ...given, reason: requireStatedReason(given.reason) };
      return run(
        { field: 'budgetTopUp', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => {
          const { budget, auditEventId } = await topUpBudget(change, input);
          return { entityId: budget.id, row: null, auditEventId };
        },
      );
    },
    budgetArchive: (input) =>
      run(
        { field: 'budgetArchive', idempotencyKey: null, input, organizationId, target: { type: 'Budget', id: input.id } },
        async (change) => {
          const { budget, auditEventId } = await archiveBudget(change, input);
          return { entityId: budget.id, row: null, auditEventId };
        },
      ),
  };
}
