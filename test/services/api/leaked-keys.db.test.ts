import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid } from '../../../schema/values/ids.ts';
import { mintVirtualKey } from '../../../schema/values/virtual-key.ts';
import { findPrincipal } from '../../../services/registry/admin-access.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import { eventually } from '../../harness/eventually.ts';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { testSecrets } from '../../harness/registry.ts';

let api: TestApi;
let tenant: TestTenant;
beforeAll(async () => {
  api = await startTestApi({ trustedProxies: ['127.0.0.0/8', '::1/128'] });
  tenant = await api.makeTenant('acme');
});
afterAll(() => api[Symbol.asyncDispose]());

const unknown = (): string => mintVirtualKey('ak', 'live', systemRandom.bytes);
const send = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${api.server.url}/leaked-keys`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
const handIn = (matches: readonly object[], address = '192.0.2.7') => send(JSON.stringify(matches), { 'x-forwarded-for': address });
const known = async (secret: string): Promise<string> =>
  (await findPrincipal(api.database.writer.db, secret, testSecrets, Date.now())).kind;
const isTaken = async (): Promise<boolean> =>
  (await api.database.writer.db.selectFrom('leaked_key_reports').select('hash').execute()).length === 0;

const rotate = `mutation Rotate($input: ApiKeyRotateInput!) { apiKeyRotate(input: $input) {
  secret errors { message } apiKey { status secrets { status leakedAt } } } }`;
interface Rotated {
  readonly apiKeyRotate: {
    readonly secret: string;
    readonly apiKey: { readonly status: string; readonly secrets: { readonly status: string; readonly leakedAt: string | null }[] };
  };
}

test('a secret that is handed in is revoked, with an audit event that says where it was found; its key lives on with a new one', async () => {
  const { id, secret } = await api.makeKey(tenant.organizationId, [], 'ak');
  const answer = await handIn([
    { token: secret, type: 'turnpike_key', url: `https://paste.example/a/${secret}?token=${secret}#x`, source: 'content' },
  ]);
  expect([answer.status, await answer.json()]).toEqual([202, { received: 1 }]);
  await eventually(async () => (await known(secret)) === 'revoked');
  const { db } = api.database.writer;
  const events = await db.selectFrom('audit_events').selectAll().where('action', '=', 'api_key.leaked').execute();
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({
    organization_id: tenant.organizationId,
    targets: [{ type: 'api_key', id: idFromUuid('apiKey', id) }],
    context: { address: '192.0.2.7' },
  });
  expect(events[0]?.changes).toContainEqual({ field: 'url', from: null, to: 'https://paste.example/a/tpk_…' });
  expect(JSON.stringify(events) + events[0]?.body.toString('utf8')).not.toContain(secret);

  const input = { idempotencyKey: 'after a leak', id: idFromUuid('apiKey', id) };
  const { data } = await api.ask<Rotated>(tenant.adminKey, rotate, { input });
  expect(data?.apiKeyRotate.apiKey).toEqual({
    status: 'ACTIVE',
    secrets: [
      { status: 'ACTIVE', leakedAt: null },
      { status: 'REVOKED', leakedAt: expect.any(String) },
    ],
  });
  expect(await known(data?.apiKeyRotate.secret ?? '')).toBe('known');
});

test('of a key under rotation only the secret that leaked dies', async () => {
  const { id, secret } = await api.makeKey(tenant.organizationId, [], 'ak');
  const input = { idempotencyKey: 'before a leak', id: idFromUuid('apiKey', id) };
  const { data } = await api.ask<Rotated>(tenant.adminKey, rotate, { input });
  const newer = data?.apiKeyRotate.secret ?? '';
  await handIn([{ token: newer }]);
  await eventually(async () => (await known(newer)) === 'revoked');
  expect(await known(secret)).toBe('known');
});

test('an admin key that leaked is out like any other', async () => {
  const { secret } = await api.makeKey(tenant.organizationId, ['*']);
  expect((await api.ask(secret, '{ viewer { permissions } }')).status).toBe(200);
  await handIn([{ token: secret }]);
  await eventually(async () => (await api.ask(secret, '{ viewer { permissions } }')).status === 401);
});

test('the answer is the same whatever is handed in: a key, one that has ended, an unknown one, none at all', async () => {
  const good = await api.makeKey(tenant.organizationId, [], 'ak');
  const ended = await api.makeKey(tenant.organizationId, [], 'ak');
  const disabled = await api.makeKey(tenant.organizationId, [], 'ak');
  const { db } = api.database.writer;
  await db.updateTable('api_keys').set({ revoked_at: new Date() }).where('id', '=', ended.id).execute();
  await db.updateTable('api_keys').set({ disabled_at: new Date() }).where('id', '=', disabled.id).execute();
  const before = await db.selectFrom('audit_events').select('id').where('action', '=', 'api_key.leaked').execute();
  const answers = [];
  for (const token of [good.secret, ended.secret, disabled.secret, unknown(), 'ghp_nothing', '']) {
    const { status, headers, ...response } = await handIn([{ token, url: '', source: null, more: 1 }]).then(async (answer) => ({
      status: answer.status,
      headers: [...answer.headers].filter(([name]) => name !== 'date'),
      text: await answer.text(),
    }));
    answers.push(JSON.stringify([status, headers, response]));
  }
  expect(new Set(answers).size).toBe(1);
  await eventually(isTaken);
  expect([await known(good.secret), await known(ended.secret), await known(disabled.secret)]).toEqual(['revoked', 'revoked', 'revoked']);
  // One for the good and one for the disabled key, none for what had ended before.
  const after = await db.selectFrom('audit_events').select('id').where('action', '=', 'api_key.leaked').execute();
  expect(after).toHaveLength(before.length + 2);
});

test.each([
  ['no JSON', '[{"token":"tpk_ak_live_'],
  ['no array', '{"token":"tpk_ak_live_x"}'],
  ['no match', '[]'],
  ['too many', JSON.stringify(Array.from({ length: 1_001 }, () => ({ token: 'tpk_ak_live_x' })))],
  ['no token', '[{"type":"tpk_ak_live_x"}]'],
  ['no text', '[{"token":7}]'],
  ['too long a token', JSON.stringify([{ token: `tpk_ak_live_${'x'.repeat(2_000)}` }])],
])('%s is refused in words that repeat nothing of it', async (_what, body) => {
  const answer = await send(body, { 'x-forwarded-for': '192.0.2.8' });
  const text = await answer.text();
  expect([answer.status, JSON.parse(text).error.code]).toEqual([400, 'invalid_request']);
  expect(text).not.toContain('tpk_ak_live_');
});

test('another content type, and a body beyond the bound, are refused', async () => {
  const wrong = await send('[]', { 'content-type': 'text/plain' });
  expect([wrong.status, Object(await wrong.json()).error.code]).toEqual([400, 'unsupported_content_type']);
  const large = await send(JSON.stringify([{ token: 'x', more: 'x'.repeat(300_000) }]));
  expect([large.status, Object(await large.json()).error.code]).toEqual([413, 'request_too_large']);
});

test('an address that hands in too much is told to wait, whether any of it was a key or not', async () => {
  const many = Array.from({ length: 1_000 }, () => ({ token: 'nothing' }));
  let status = 202;
  let waits = 0;
  for (let tries = 0; tries < 20 && status === 202; tries++) {
    const answer = await handIn(many, '203.0.113.9');
    status = answer.status;
    waits = Number(answer.headers.get('retry-after') ?? 0);
    await answer.text();
  }
  expect([status, waits > 0]).toEqual([429, true]);
  expect((await handIn([{ token: 'nothing' }], '203.0.113.8')).status).toBe(202);
});
