import { hash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { mintUuid } from '../../../schema/values/ids.ts';
import { mintVirtualKey } from '../../../schema/values/virtual-key.ts';
import type { AuditEvent } from '../../../services/journal/append-audit.ts';
import { appendAuditEvent, auditEventBody } from '../../../services/journal/append-audit.ts';
import { createTestDatabase } from '../../harness/postgres.ts';

function auditEvent(overrides: Partial<AuditEvent> = {}): AuditEvent {
  return {
    id: mintUuid(Date.now(), randomBytes(10)),
    organizationId: mintUuid(Date.now(), randomBytes(10)),
    occurredAt: new Date('2026-11-21T10:20:30.405Z'),
    action: 'api_key.create',
    actor: { kind: 'system', id: 'seed', name: 'seed' },
    targets: [{ type: 'api_key', id: 'key_1', name: 'demo' }],
    changes: [{ field: 'name', from: null, to: 'demo' }],
    origin: { requestId: null, address: '192.0.2.1', userAgent: 'curl/8' },
    ...overrides,
  };
}

test('the body is canonical: key order of the input does not matter, and the hash is over its bytes', async () => {
  await using database = await createTestDatabase();
  const event = auditEvent({ changes: [{ field: 'tags', from: { b: 1, a: 2 }, to: null }] });
  const { id } = event;
  const other = { ...event, changes: [{ to: null, from: { a: 2, b: 1 }, field: 'tags' }] };
  expect(auditEventBody(other)).toBe(auditEventBody(event));

  await expect(database.writer.db.transaction().execute((trx) => appendAuditEvent(trx, event))).resolves.toBe(id);
  const row = await database.writer.db.selectFrom('audit_events').selectAll().executeTakeFirstOrThrow();
  expect(row.body.toString()).toBe(auditEventBody(event));
  expect(row.body_hash).toEqual(hash('sha256', row.body, 'buffer'));
  expect(row).toMatchObject({
    occurred_at: event.occurredAt,
    action: 'api_key.create',
    actor: event.actor,
    targets: event.targets,
    changes: event.changes,
  });
  expect(row.context).toEqual(event.origin);
});

test('a change and its audit event commit together or not at all, and a committed one waits for its position', async () => {
  await using database = await createTestDatabase();
  const rolledBack = database.writer.db.transaction().execute(async (trx) => {
    await appendAuditEvent(trx, auditEvent());
    throw new Error('the change failed');
  });
  await expect(rolledBack).rejects.toThrow('the change failed');
  await expect(database.writer.db.selectFrom('journal_unsequenced').selectAll().execute()).resolves.toEqual([]);

  const event = auditEvent();
  await database.writer.db.transaction().execute((trx) => appendAuditEvent(trx, event));
  const waiting = await database.writer.db.selectFrom('journal_unsequenced').selectAll().execute();
  expect(waiting).toMatchObject([{ item_id: event.id, item_kind: 'audit', organization_id: event.organizationId, log_partition: -1 }]);
});

test('a virtual key that strays into an audit event stands there only in its display form', async () => {
  await using database = await createTestDatabase();
  const secret = mintVirtualKey('ak', 'live', randomBytes);
  const event = auditEvent({
    targets: [{ type: 'api_key', id: 'key_1', name: secret }],
    changes: [{ field: 'metadata', from: null, to: { note: `my key is ${secret}, keep it` } }],
  });
  await database.writer.db.transaction().execute((trx) => appendAuditEvent(trx, event));
  const row = await database.writer.db.selectFrom('audit_events').selectAll().executeTakeFirstOrThrow();
  expect(JSON.stringify(row) + row.body.toString()).not.toContain(secret);
  expect(row.body.toString()).toContain(`${secret.slice(0, 20)}…`);
});
