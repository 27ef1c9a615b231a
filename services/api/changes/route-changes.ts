import type { RouteChanges } from '../../../schema/graphql/ports/route-changes.ts';
import { archiveRoute, createRoute, updateRoute } from '../../registry/routes.ts';
import { requireIdempotencyKey } from './input-checks.ts';
import type { RunChange } from './run-change.ts';

/** The changes of one viewer to the organization's routes. */
export function createRouteChanges(run: RunChange, organizationId: string): RouteChanges {
  return {
    routeCreate: ({ idempotencyKey, ...input }) => {
      return run(
        { field: 'routeCreate', idempotencyKey: requireIdempotencyKey(idempotencyKey), input, organizationId, target: null },
        async (change) => {
          const { route, auditEventId } = await createRoute(change, input);
          return { entityId: route.id, row: null, auditEventId };
        },
      );
    },
    routeUpdate: (input) =>
      run(
        { field: 'routeUpdate', idempotencyKey: null, input, organizationId, target: { type: 'Route', id: input.id } },
        async (change) => {
          const { route, auditEventId } = await updateRoute(change, input);
          return { entityId: route.id, row: null, auditEventId };
        },
      ),
    routeArchive: (input) =>
      run(
        { field: 'routeArchive', idempotencyKey: null, input, organizationId, target: { type: 'Route', id: input.id } },
        async (change) => {
          const { route, auditEventId } = await archiveRoute(change, input);
          return { entityId: route.id, row: null, auditEventId };
        },
      ),
  };
}
