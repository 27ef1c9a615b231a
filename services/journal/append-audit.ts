import { createHash } from 'node:crypto';
import type { Transaction } from 'kysely';
import type { Database } from '../../schema/tables/database.ts';
import { idFromUuid } from '../../schema/values/ids.ts';
import { displayVirtualKey, parseVirtualKey } from '../../schema/values/virtual-key.ts';
import { canonicalJson } from './canonical-json.ts';

/** Who acted. `id` is in text form (`key_…`), or the name of the process or file. */
export interface AuditActor {
  readonly kind: 'api_key' | 'system' | 'file';
  readonly id: string;
  readonly name: string;
}

/** Where the act came from; null = not known, or it came from within. */
export interface AuditOrigin {
  readonly requestId: string | null;
  readonly address: string | null;
  readonly userAgent: string | null;
}

/** What was acted on. `id` is in text form. */
export interface AuditTarget {
  readonly type: string;
  readonly id: string;
  readonly name: string;
}

/** One field before and after; both are JSON values, and never a secret. */
export interface AuditChange {
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

export interface AuditEvent {
  /** uuid, minted by the caller. */
  readonly id: string;
  /** uuid of the organization in whose log the act stands. */
  readonly organizationId: string;
  readonly occurredAt: Date;
  /** `object.verb`, such as `api_key.create`. */
  readonly action: string;
  readonly actor: AuditActor;
  readonly targets: readonly AuditTarget[];
  readonly changes: readonly AuditChange[];
  readonly origin: AuditOrigin;
}

/**
 * Appends an audit event to the organization's journal in the transaction of the change it tells of: both commit or neither.
 * `body` holds the canonical JSON of the whole event, which is what is hashed and later proved. The sequencer gives it its
 * position after the commit. A virtual key that strayed into a name or a field stands here only in its display form.
 * @returns the uuid of the event.
 */
export async function appendAuditEvent(trx: Transaction<Database>, event: AuditEvent): Promise<string> {
  const body = Buffer.from(auditEventBody(event), 'utf8');
  await trx
    .insertInto('audit_events')
    .values({
      id: event.id,
      organization_id: event.organizationId,
      occurred_at: event.occurredAt,
      action: event.action,
      actor: withoutSecrets(canonicalJson(event.actor)),
      targets: withoutSecrets(canonicalJson(event.targets)),
      changes: withoutSecrets(canonicalJson(event.changes)),
      context: withoutSecrets(canonicalJson(event.origin)),
      body,
      body_hash: createHash('sha256').update(body).digest(),
    })
    .execute();
  return event.id;
}

/** The bytes of an audit event as text: ids in text form, time in UTC to the millisecond, keys sorted. */
export function auditEventBody(event: AuditEvent): string {
  return withoutSecrets(
    canonicalJson({
      version: 1,
      auditEventId: idFromUuid('auditEvent', event.id),
      organizationId: idFromUuid('organization', event.organizationId),
      occurredAt: event.occurredAt.toISOString(),
      action: event.action,
      actor: event.actor,
      targets: event.targets,
      changes: event.changes,
      origin: event.origin,
    }),
  );
}

const keyLike = /tpk_[a-z]+_[a-z]+_[0-9A-Za-z]{57}/g;

function withoutSecrets(text: string): string {
  return text.replace(keyLike, (found) => {
    const face = parseVirtualKey(found);
    return face === null ? found : displayVirtualKey(face);
  });
}
