import type { RateLimitChanges } from '../../../schema/graphql/ports/rate-limits.ts';
import { archiveRateLimit, createRateLimit, updateRateLimit } from '../../registry/rate-limits.ts';
import { requireIdempotencyKey, requireName } from './input-checks.ts';
import type { RunChange } from './run-change.ts';

/** The changes of one viewer to the organization's rate limits. */
export function createRateLimitChanges(run: RunChange, organizationId: string): RateLimitChanges {
  return {
    rateLimitCreate: ({ idempotencyKey, ...given }) => {
      const input = { ...given, name: requireName(given.name) };
      return run(
        { field: 'rateLimitCreate', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => {
          const { rateLimit, auditEventId } = await createRateLimit(change, input);
          return { entityId: rateLimit.id, row: null, auditEventId };
        },
      );
    },
    rateLimitUpdate: (given) => {
      const input = given.name === undefined ? given : { ...given, name: requireName(given.name) };
      return run(
        { field: 'rateLimitUpdate', idempotencyKey: null, input, organizationId, target: { type: 'RateLimit', id: input.id } },
        async (change) => {
          const { rateLimit, auditEventId } = await updateRateLimit(change, input);
          return { entityId: rateLimit.id, row: null, auditEventId };
        },
      );
    },
    rateLimitArchive: (input) =>
      run(
        { field: 'rateLimitArchive', idempotencyKey: null, input, organizationId, target: { type: 'RateLimit', id: input.id } },
        async (change) => {
          const { rateLimit, auditEventId } = await archiveRateLimit(change, input);
          return { entityId: rateLimit.id, row: null, auditEventId };
        },
      ),
  };
}
