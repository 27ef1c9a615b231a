import { budgetAmount } from '../../../schema/graphql/budget-amount.ts';
import type { LeaseChanges } from '../../../schema/graphql/ports/lease-changes.ts';
import { declareProxyLost, releaseLease } from '../../registry/budget-leases.ts';
import { INSTALLATION_ID } from '../../registry/seed.ts';
import { requireIdempotencyKey, requireStatedReason } from './input-checks.ts';
import type { RunChange } from './run-change.ts';

/** The acts of one viewer on leases. */
export function createLeaseChanges(run: RunChange, organizationId: string): LeaseChanges {
  return {
    budgetLeaseRelease: ({ idempotencyKey, ...given }) => {
      const input = { ...given, reason: requireStatedReason(given.reason) };
      return run(
        {
          field: 'budgetLeaseRelease',
          idempotencyKey: requireIdempotencyKey(idempotencyKey),
          input: { ...input, epoch: input.epoch.toString(), spent: input.spent.toString() },
          organizationId,
          target: null,
        },
        async (change) => {
          const { budgetId, unit, freed, auditEventId } = await releaseLease(change, {
            ...input,
            spent: (of) => BigInt(budgetAmount(of, input.spent)),
          });
          return { entityId: budgetId, row: { unit, freed }, auditEventId };
        },
      );
    },
    nodeDeclareLost: ({ idempotencyKey, ...given }) => {
      const input = { ...given, reason: requireStatedReason(given.reason) };
      return run(
        {
          field: 'nodeDeclareLost',
          idempotencyKey: requireIdempotencyKey(idempotencyKey),
          input,
          organizationId: INSTALLATION_ID,
          target: null,
        },
        async (change) => {
          const { auditEventId } = await declareProxyLost(change, input);
          return { entityId: input.proxyId, row: null, auditEventId };
        },
      );
    },
  };
}
