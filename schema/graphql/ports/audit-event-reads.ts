import type { Selectable } from 'kysely';
import type { AuditEventTable } from '../../tables/audit-event.table.ts';
import type { Page, PageRequest } from '../page.ts';

export type AuditEventRow = Omit<Selectable<AuditEventTable>, 'body' | 'body_hash'>;

export interface AuditEventFilter {
  readonly action: string | null;
  /** `key_…`, `team_…` in text form, as in the event. */
  readonly targetId: string | null;
  readonly actorId: string | null;
  readonly from: Date | null;
  readonly to: Date | null;
}

/** Reads of the viewer's organization's audit log, newest first. */
export interface AuditEventReads {
  readonly auditEventsById: (ids: readonly string[]) => Promise<readonly (AuditEventRow | null)[]>;
  readonly auditEvents: (page: PageRequest, filter: AuditEventFilter) => Promise<Page<AuditEventRow>>;
}
