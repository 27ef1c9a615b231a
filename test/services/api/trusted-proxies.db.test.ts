import { expect, test } from 'vitest';
import { mintVirtualKey } from '../../../schema/values/virtual-key.ts';
import { updateApiKey } from '../../../services/registry/api-keys.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { changeOf } from '../../harness/registry.ts';

test('behind a trusted proxy the client’s own address counts: for the addresses a key is bound to, for wrong keys, and in the audit log', async () => {
  await using api = await startTestApi({ trustedProxies: ['127.0.0.0/8', '::1/128'] });
  const tenant = await api.makeTenant('acme');
  const from = (address: string, key: string, query = '{ viewer { permissions } }') =>
    api.ask(key, query, {}, { 'x-forwarded-for': address });
  const bound = await api.makeKey(tenant.organizationId, ['*']);
  await changeOf(api.database.writer.db, tenant.organizationId, (by) =>
    updateApiKey(by, { id: bound.id, expectedVersion: 1, allowedCidrs: ['192.0.2.0/24'] }),
  );
  expect((await from('192.0.2.7', bound.secret)).status).toBe(200);
  // The first entry is the client's own claim, the last what the proxy saw.
  for (const address of ['198.51.100.1', '192.0.2.7, 198.51.100.1', 'nobody']) {
    expect([address, (await from(address, bound.secret)).status]).toEqual([address, 403]);
  }

  await from('192.0.2.7', tenant.adminKey, 'mutation { teamCreate(input: { idempotencyKey: "t", name: "Team" }) { auditEventId } }');
  const { context } = await api.database.writer.db
    .selectFrom('audit_events')
    .select('context')
    .where('action', '=', 'team.create')
    .executeTakeFirstOrThrow();
  expect(context).toMatchObject({ address: '192.0.2.7' });

  // Many at once: no more are looked up than may fail, some of which are forgiven meanwhile.
  const wrong = () => from('203.0.113.9', mintVirtualKey('adm', 'test', systemRandom.bytes));
  expect((await from('203.0.113.9', tenant.adminKey)).status).toBe(200);
  const late = await api.makeKey(tenant.organizationId, ['*']);
  const answers = await Promise.all(Array.from({ length: 120 }, wrong));
  const last = answers.find(({ status }) => status === 429);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
  expect(last?.errors?.[0]?.extensions?.code).toBe('THROTTLED');
  expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
  // A key that was good before goes on working there, and elsewhere nobody notices.
  expect((await from('203.0.113.9', tenant.adminKey)).status).toBe(200);
  expect((await from('203.0.113.8', late.secret)).status).toBe(200);
});
