import type { Viewer } from '../../../schema/graphql/context.ts';
import { allows } from '../../../schema/graphql/permission.ts';
import type { DeadLetterChanges } from '../../../schema/graphql/ports/dead-letter-changes.ts';
import { discardDeadLetter, retryDeadLetter } from '../../registry/dead-letters.ts';
import { requireIdempotencyKey, requireStatedReason } from './input-checks.ts';
import type { RunChange } from './run-change.ts';

/** The changes of one viewer to dead letters. The ledger does what a retry asks for; here it is only asked. */
export function createDeadLetterChanges(run: RunChange, viewer: Viewer): DeadLetterChanges {
  const { organizationId } = viewer;
  const everywhere = allows(viewer.permissions, 'installation:admin');
  return {
    deadLetterRetry: ({ idempotencyKey, ...input }) =>
      run(
        { field: 'deadLetterRetry', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => {
          const { auditEventId } = await retryDeadLetter(change, { ...input, everywhere });
          return { entityId: input.id, row: null, auditEventId };
        },
      ),
    deadLetterDiscard: ({ idempotencyKey, id, reason: given }) => {
      const reason = requireStatedReason(given);
      const input = { id, reason };
      return run(
        { field: 'deadLetterDiscard', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => {
          const { auditEventId } = await discardDeadLetter(change, { ...input, everywhere });
          return { entityId: id, row: null, auditEventId };
        },
      );
    },
  };
}
