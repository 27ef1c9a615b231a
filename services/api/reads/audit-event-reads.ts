import { sql } from 'kysely';
import type { AuditEventReads, AuditEventRow } from '../../../schema/graphql/ports/audit-event-reads.ts';
import { inOrderOf, readPage } from './keyset.ts';
import type { TenantRead } from './tenant-read.ts';

const columns = [
  'id',
  'organization_id',
  'occurred_at',
  'action',
  'actor',
  'targets',
  'changes',
  'context',
] as const satisfies readonly (keyof AuditEventRow)[];

/** Reads of one organization's audit log. */
export function createAuditEventReads(read: TenantRead, organizationId: string): AuditEventReads {
  return {
    auditEventsById: (ids) =>
      read(async (trx) => {
        const rows = await trx
          .selectFrom('audit_events')
          .select(columns)
          .where('organization_id', '=', organizationId)
          .where('id', 'in', ids)
          .execute();
        return inOrderOf(ids, rows, (row) => row.id);
      }),
    auditEvents: (page, filter) =>
      read((trx) => {
        let query = trx.selectFrom('audit_events').select(columns).where('organization_id', '=', organizationId);
        if (filter.action !== null) query = query.where('action', '=', filter.action);
        if (filter.actorId !== null) query = query.where(sql<boolean>`actor ->> 'id' = ${filter.actorId}`);
        if (filter.targetId !== null) query = query.where(sql<boolean>`targets @> ${JSON.stringify([{ id: filter.targetId }])}::jsonb`);
        if (filter.from !== null) query = query.where('occurred_at', '>=', filter.from);
        if (filter.to !== null) query = query.where('occurred_at', '<', filter.to);
        return readPage(query, page, { column: { name: 'occurred_at', type: 'instant' }, id: 'id', descending: true });
      }),
  };
}
