import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid, uuidFromId } from '../../../schema/values/ids.ts';
import { findPrincipal } from '../../../services/registry/admin-access.ts';
import { updateApiKey } from '../../../services/registry/api-keys.ts';
import { eventually } from '../../harness/eventually.ts';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { book, usageEntry } from '../../harness/graphql-books.ts';
import { changeOf, testSecrets } from '../../harness/registry.ts';

let api: TestApi;
let tenant: TestTenant;
beforeAll(async () => {
  api = await startTestApi();
  tenant = await api.makeTenant('acme');
});
afterAll(() => api[Symbol.asyncDispose]());

interface Payload {
  readonly secret?: string | null;
  readonly replayed: boolean;
  readonly auditEventId: string | null;
  readonly cursor: string | null;
  readonly apiKey: {
    readonly id: string;
    readonly version: number;
    readonly name: string;
    readonly secrets: { display: string; status: string }[];
  } | null;
  readonly errors: {
    readonly __typename: string;
    readonly code: string;
    readonly path: string[];
    readonly current?: { readonly id: string };
  }[];
}

const fields = `replayed auditEventId cursor apiKey { id version name secrets { display status } }
  errors { __typename code path ... on VersionConflict { current { id ... on ApiKey { version } } } }`;
const create = `mutation Create($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { secret ${fields} } }`;
const rotate = `mutation Rotate($input: ApiKeyRotateInput!) { apiKeyRotate(input: $input) { secret ${fields} } }`;
const endGrace = `mutation End($input: ApiKeyEndGraceInput!) { apiKeyEndGrace(input: $input) { ${fields} } }`;
const update = `mutation Update($input: ApiKeyUpdateInput!) { apiKeyUpdate(input: $input) { ${fields} } }`;

async function change(query: string, input: Record<string, unknown>, key = tenant.adminKey): Promise<Payload> {
  const answer = await api.ask<Record<string, Payload>>(key, query, { input });
  expect(answer.errors).toBeUndefined();
  const [payload] = Object.values(answer.data ?? {});
  if (payload === undefined) throw new Error('no payload');
  return payload;
}

test('a new key shows its secret once; a replay changes nothing and has no secret', async () => {
  const input = { idempotencyKey: 'create-1', name: 'App', allowedModels: ['sim/*'] };
  const first = await change(create, input);
  expect(first).toMatchObject({ replayed: false, errors: [], apiKey: { version: 1, name: 'App' } });
  expect(first.secret).toMatch(/^tpk_ak_live_/);
  const again = await change(create, input);
  expect(again).toMatchObject({ replayed: true, secret: null, auditEventId: first.auditEventId, apiKey: { id: first.apiKey?.id } });
  const other = await change(create, { ...input, name: 'Other' });
  expect(other).toMatchObject({ apiKey: null, secret: null, errors: [{ __typename: 'IdempotencyKeyReused' }] });
});

test('of one idempotency key used many times at once exactly one creates', async () => {
  const input = { idempotencyKey: 'race', name: 'Racer' };
  const payloads = await Promise.all(Array.from({ length: 8 }, () => change(create, input)));
  const made = payloads.filter((payload) => payload.secret != null);
  expect(made).toHaveLength(1);
  for (const payload of payloads) {
    if (payload === made[0]) continue;
    expect(payload.replayed || payload.errors[0]?.code === 'IDEMPOTENCY_IN_PROGRESS').toBe(true);
  }
});

test('an update with an old version is refused and shows what is there', async () => {
  const made = await change(create, { idempotencyKey: 'version-1', name: 'Versioned' });
  const id = made.apiKey?.id;
  expect(await change(update, { id, expectedVersion: 1, name: 'Second' })).toMatchObject({
    apiKey: { version: 2, name: 'Second' },
    errors: [],
  });
  expect(await change(update, { id, expectedVersion: 1, name: 'Third' })).toMatchObject({
    apiKey: null,
    errors: [{ __typename: 'VersionConflict', path: ['input', 'expectedVersion'], current: { id, version: 2 } }],
  });
});

test('a rotated key has two secrets: the new one active, the old one in grace', async () => {
  const made = await change(create, { idempotencyKey: 'rotate-0', name: 'Rotated' });
  const rotated = await change(rotate, { idempotencyKey: 'rotate-1', id: made.apiKey?.id, graceFor: 'PT1H' });
  expect(rotated.secret).not.toBe(made.secret);
  expect(rotated.apiKey?.secrets.map((secret) => secret.status)).toEqual(['ACTIVE', 'GRACE']);
});

test('a rotation that is asked for many times at once under one idempotency key is made once, and the old secret works on for a day', async () => {
  const made = await change(create, { idempotencyKey: 'once-0', name: 'Once' });
  const id = made.apiKey?.id;
  const payloads = await Promise.all(Array.from({ length: 6 }, () => change(rotate, { idempotencyKey: 'once-1', id })));
  const secrets = new Set([...payloads, await change(rotate, { idempotencyKey: 'once-1', id })].flatMap(({ secret }) => secret ?? []));
  expect(secrets.size).toBe(1);
  const look = 'query L($id: ID!) { node(id: $id) { ... on ApiKey { version secrets { status createdAt expiresAt } } } }';
  interface Key {
    readonly version: number;
    readonly secrets: { readonly status: string; readonly createdAt: string; readonly expiresAt: string | null }[];
  }
  const key = (await api.ask<{ node: Key }>(tenant.adminKey, look, { id })).data?.node;
  expect([key?.version, key?.secrets.map(({ status }) => status)]).toEqual([2, ['ACTIVE', 'GRACE']]);
  const [newer, older] = key?.secrets ?? [];
  expect(Math.abs(Date.parse(older?.expiresAt ?? '') - Date.parse(newer?.createdAt ?? '') - 86_400_000)).toBeLessThan(1_000);
});

test('a rotation whose answer was lost is made again without taking the secret in use away', async () => {
  const made = await change(create, { idempotencyKey: 'lost-0', name: 'Lost' });
  const id = made.apiKey?.id;
  const refused = { apiKey: null, secret: null, errors: [{ __typename: 'InvalidInput', path: ['input', 'replaceNewest'] }] };
  expect(await change(rotate, { idempotencyKey: 'lost-1', id, replaceNewest: true })).toMatchObject(refused);
  const lost = await change(rotate, { idempotencyKey: 'lost-2', id });
  const again = await change(rotate, { idempotencyKey: 'lost-3', id, replaceNewest: true });
  expect(again.apiKey?.secrets.map(({ status }) => status)).toEqual(['ACTIVE', 'REVOKED', 'GRACE']);
  const { db } = api.database.writer;
  const known = async (secret: string | null | undefined) => (await findPrincipal(db, secret ?? '', testSecrets, Date.now())).kind;
  expect([await known(made.secret), await known(lost.secret), await known(again.secret)]).toEqual(['known', 'revoked', 'known']);
});

test('a disabled key is refused until it is enabled again', async () => {
  const made = await change(create, { idempotencyKey: 'pause-1', name: 'Paused' });
  const known = async () => (await findPrincipal(api.database.writer.db, made.secret ?? '', testSecrets, Date.now())).kind;
  const id = made.apiKey?.id;
  expect((await change(update, { id, expectedVersion: 1, disabled: true })).errors).toEqual([]);
  expect(await known()).toBe('disabled');
  expect((await change(update, { id, expectedVersion: 2, disabled: false })).errors).toEqual([]);
  expect(await known()).toBe('known');
});

test('the grace of a rotated key is ended at once: the old secret is revoked, the new one stays; again changes nothing', async () => {
  const made = await change(create, { idempotencyKey: 'grace-0', name: 'Hurried' });
  const id = made.apiKey?.id;
  const rotated = await change(rotate, { idempotencyKey: 'grace-1', id });
  const ended = await change(endGrace, { idempotencyKey: 'grace-2', id });
  expect(ended).toMatchObject({ errors: [], replayed: false, apiKey: { id, version: 3 } });
  expect(ended.auditEventId).not.toBeNull();
  expect(ended.apiKey?.secrets.map((secret) => secret.status)).toEqual(['ACTIVE', 'REVOKED']);
  const { db } = api.database.writer;
  const known = async (secret: string | null | undefined) => (await findPrincipal(db, secret ?? '', testSecrets, Date.now())).kind;
  expect([await known(made.secret), await known(rotated.secret)]).toEqual(['revoked', 'known']);
  expect(await change(endGrace, { idempotencyKey: 'grace-2', id })).toMatchObject({ replayed: true, auditEventId: ended.auditEventId });
  expect(await change(endGrace, { idempotencyKey: 'grace-3', id })).toMatchObject({
    auditEventId: null,
    errors: [],
    apiKey: { version: 3 },
  });
});

test('nobody hands on more than they have', async () => {
  const { secret } = await api.makeKey(tenant.organizationId, ['api_key:create', 'api_key:read', 'request:read', 'api_key:rotate']);
  const granted = await change(create, { idempotencyKey: 'grant-1', name: 'Reader', kind: 'ADMIN', permissions: ['request:read'] }, secret);
  expect(granted.errors).toEqual([]);
  const beyond = await api.ask(secret, create, { input: { idempotencyKey: 'grant-2', name: 'All', kind: 'ADMIN', permissions: ['*'] } });
  expect(beyond.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
  const { data } = await api.ask<{ viewer: { apiKey: { id: string } } }>(tenant.adminKey, '{ viewer { apiKey { id } } }');
  const stolen = await change(rotate, { idempotencyKey: 'grant-3', id: data?.viewer.apiKey.id }, secret);
  expect(stolen).toMatchObject({ secret: null, errors: [{ __typename: 'NotFound', path: ['input', 'id'] }] });
});

test('a key that can do more than the one that asks does not exist for it: not by id, in no list, in no count and for no change', async () => {
  const root = await api.makeKey(tenant.organizationId, ['*', 'installation:admin']);
  const below = await api.makeKey(tenant.organizationId, ['*']);
  const beside = await api.makeKey(tenant.organizationId, ['api_key:read', 'api_key:update', 'api_key:revoke', 'api_key:rotate']);
  const revoke = `mutation Revoke($input: ApiKeyRevokeInput!) { apiKeyRevoke(input: $input) { ${fields} } }`;
  const look = `query Look($id: ID!) { node(id: $id) { id } apiKeys(first: 100, kind: ADMIN) { nodes { id } count { value } } }`;
  const idOf = (key: { readonly id: string }) => idFromUuid('apiKey', key.id);
  for (const [viewer, hidden] of [
    [below, root],
    [beside, below],
    [beside, root],
  ] as const) {
    const id = idOf(hidden);
    const { data, errors } = await api.ask<{ node: unknown; apiKeys: { nodes: { id: string }[]; count: { value: number } } }>(
      viewer.secret,
      look,
      { id },
    );
    expect([data?.node, errors?.map((error) => error.extensions?.code)]).toEqual([null, ['NOT_FOUND']]);
    const seen = data?.apiKeys.nodes.map((node) => node.id) ?? [];
    expect(seen).toContain(idOf(viewer));
    expect(seen).not.toContain(id);
    expect(data?.apiKeys.count.value).toBe(seen.length);
    const before = await api.database.writer.db.selectFrom('api_keys').selectAll().where('id', '=', hidden.id).execute();
    for (const [mutation, input] of [
      [rotate, { idempotencyKey: `take ${id}`, id }],
      [endGrace, { idempotencyKey: `hurry ${id}`, id }],
      [revoke, { idempotencyKey: `end ${id}`, id }],
      [update, { id, expectedVersion: 1, disabled: true }],
    ] as const) {
      expect(await change(mutation, input, viewer.secret)).toMatchObject({ apiKey: null, errors: [{ __typename: 'NotFound' }] });
    }
    expect(await api.database.writer.db.selectFrom('api_keys').selectAll().where('id', '=', hidden.id).execute()).toEqual(before);
  }
  const { data } = await api.ask<{ apiKeys: { nodes: { id: string }[] } }>(root.secret, look, { id: idOf(below) });
  expect(data?.apiKeys.nodes.map((node) => node.id)).toEqual(expect.arrayContaining([root, below, beside].map(idOf)));
});

test('a key that expires makes no admin key that works longer, and gives none more time, itself included', async () => {
  const { id, secret } = await api.makeKey(tenant.organizationId, ['*']);
  const { db } = api.database.writer;
  const ends = Date.now() + 3_600_000;
  await db
    .updateTable('api_keys')
    .set({ expires_at: new Date(ends) })
    .where('id', '=', id)
    .execute();
  const at = (ms: number) => new Date(ms).toISOString();
  const make = (key: string, kind: string, expiresAt: string | null) =>
    change(create, { idempotencyKey: key, name: 'lent', kind, ...(kind === 'ADMIN' ? { permissions: ['*'] } : {}), expiresAt }, secret);
  const refused = { apiKey: null, errors: [{ __typename: 'InvalidInput', path: ['input', 'expiresAt'] }] };
  expect(await make('lent-1', 'ADMIN', null)).toMatchObject(refused);
  expect(await make('lent-2', 'ADMIN', at(ends + 1_000))).toMatchObject(refused);
  const lent = await make('lent-3', 'ADMIN', at(ends - 1_000));
  expect(lent.errors).toEqual([]);
  expect(await change(update, { id: lent.apiKey?.id, expectedVersion: 1, expiresAt: null }, secret)).toMatchObject(refused);
  expect(await change(update, { id: idFromUuid('apiKey', id), expectedVersion: 1, expiresAt: null }, secret)).toMatchObject(refused);
  // An application's key serves the application, not whoever made it.
  expect((await make('lent-4', 'MODEL', null)).errors).toEqual([]);
});

test('invalid input is an error of the payload', async () => {
  expect(await change(create, { idempotencyKey: 'bad-1', name: ' ' })).toMatchObject({
    apiKey: null,
    errors: [{ __typename: 'InvalidInput' }],
  });
  expect(await change(create, { idempotencyKey: 'bad-2', name: 'x', teamId: 'team_00000000000000000000000000' })).toMatchObject({
    errors: [{ __typename: 'NotFound', path: ['input', 'teamId'] }],
  });
});

interface KeyFields {
  readonly allowedEndpoints: string[] | null;
  readonly allowedCidrs: string[] | null;
  readonly lastUsedAt: string | null;
  readonly allowedOverrides: string[];
}
const limitsOf = async (id: string | undefined): Promise<KeyFields | undefined> => {
  const look = 'query L($id: ID!) { node(id: $id) { ... on ApiKey { allowedEndpoints allowedCidrs lastUsedAt allowedOverrides } } }';
  return (await api.ask<{ node: KeyFields }>(tenant.adminKey, look, { id })).data?.node;
};

test('a key is bound to endpoints and blocks of addresses, which are shown in their one form, changed and lifted', async () => {
  const input = {
    idempotencyKey: 'bound-1',
    name: 'Bound',
    allowedEndpoints: ['/v1/models'],
    allowedCidrs: ['2001:DB8::/32', '192.0.2.7'],
  };
  const made = await change(create, input);
  const id = made.apiKey?.id;
  expect(made.errors).toEqual([]);
  expect(await limitsOf(id)).toMatchObject({ allowedEndpoints: ['/v1/models'], allowedCidrs: ['2001:db8::/32', '192.0.2.7/32'] });
  await change(update, { id, expectedVersion: 1, allowedCidrs: ['10.0.0.0/8'] });
  expect(await limitsOf(id)).toMatchObject({ allowedEndpoints: ['/v1/models'], allowedCidrs: ['10.0.0.0/8'] });
  await change(update, { id, expectedVersion: 2, allowedCidrs: null, allowedEndpoints: null });
  expect(await limitsOf(id)).toMatchObject({ allowedEndpoints: null, allowedCidrs: null });
  for (const [field, value] of [
    ['allowedEndpoints', ['/v1/nowhere']],
    ['allowedEndpoints', []],
    ['allowedCidrs', ['10.0.0.1/8']],
    ['allowedCidrs', ['example.org']],
    ['allowedCidrs', []],
    ['allowedCidrs', Array.from({ length: 65 }, (_, index) => `10.0.${index}.0/24`)],
  ] as const) {
    expect(await change(update, { id, expectedVersion: 3, [field]: value })).toMatchObject({
      apiKey: null,
      errors: [{ __typename: 'InvalidInput', path: ['input', field] }],
    });
  }
});

test('a key allows its requests to decide something for themselves only where it says so', async () => {
  const made = await change(create, {
    idempotencyKey: 'override-1',
    name: 'Patient',
    allowedOverrides: ['TIMEOUT', 'STREAM_TIMEOUT', 'TIMEOUT'],
  });
  const id = made.apiKey?.id;
  expect((await limitsOf(id))?.allowedOverrides).toEqual(['TIMEOUT', 'STREAM_TIMEOUT']);
  await change(update, { id, expectedVersion: 1, name: 'Still' });
  expect((await limitsOf(id))?.allowedOverrides).toEqual(['TIMEOUT', 'STREAM_TIMEOUT']);
  await change(update, { id, expectedVersion: 2, allowedOverrides: [] });
  expect((await limitsOf(id))?.allowedOverrides).toEqual([]);
  const plain = await change(create, { idempotencyKey: 'override-2', name: 'Plain' });
  expect((await limitsOf(plain.apiKey?.id))?.allowedOverrides).toEqual([]);
});

test('an admin key works from its addresses only, and makes none that works from elsewhere', async () => {
  const { id, secret } = await api.makeKey(tenant.organizationId, ['*']);
  const bind = (cidrs: readonly string[]) =>
    changeOf(api.database.writer.db, tenant.organizationId, async (by) => {
      const { version } = await by.trx.selectFrom('api_keys').select('version').where('id', '=', id).executeTakeFirstOrThrow();
      await updateApiKey(by, { id, expectedVersion: version, allowedCidrs: cidrs });
    });
  await bind(['127.0.0.0/8']);
  const answer = async () => {
    const { status, errors } = await api.ask(secret, '{ viewer { permissions } }');
    return [status, errors?.[0]?.extensions?.code];
  };
  expect(await answer()).toEqual([200, undefined]);
  const make = (key: string, allowedCidrs: readonly string[] | null) =>
    change(create, { idempotencyKey: key, name: 'near', kind: 'ADMIN', permissions: ['*'], allowedCidrs }, secret);
  const refused = { apiKey: null, errors: [{ __typename: 'InvalidInput', path: ['input', 'allowedCidrs'] }] };
  expect(await make('near-1', null)).toMatchObject(refused);
  expect(await make('near-2', ['127.0.0.1/32', '10.0.0.0/8'])).toMatchObject(refused);
  expect((await make('near-3', ['127.0.0.1/32'])).errors).toEqual([]);
  expect(await change(update, { id: idFromUuid('apiKey', id), expectedVersion: 2, allowedCidrs: null }, secret)).toMatchObject(refused);
  await bind(['192.0.2.0/24']);
  await eventually(async () => (await answer())[0] === 403);
  expect(await answer()).toEqual([403, 'FORBIDDEN']);
});

test('the last use of a key is its last booked request; of an admin key, when it was last let in', async () => {
  const made = await change(create, { idempotencyKey: 'used-1', name: 'Used' });
  const id = made.apiKey?.id;
  expect((await limitsOf(id))?.lastUsedAt).toBeNull();
  const at = new Date(Date.now() - 60_000);
  const used = { api_key_id: uuidFromId('apiKey', id ?? '') ?? '' };
  await book(api.database.writer.db, [
    usageEntry(tenant.organizationId, { ...used, occurred_at: at }),
    usageEntry(tenant.organizationId, { ...used, occurred_at: new Date(at.getTime() - 1_000) }),
  ]);
  expect(new Date((await limitsOf(id))?.lastUsedAt ?? 0)).toEqual(at);
});

interface Scheduled {
  readonly node: {
    readonly rotateEvery: string | null;
    readonly rotateWithin: string | null;
    readonly rotationDueAt: string | null;
    readonly secrets: { readonly status: string; readonly createdAt: string; readonly expiresAt: string | null }[];
  };
}

test('a key says when its next secret is due, is listed when it is, and is told of in the audit log; rotating it starts anew', async () => {
  const made = await change(create, { idempotencyKey: 'due-1', name: 'Due', rotateEvery: 'P30D', rotateWithin: 'P7D' });
  const id = made.apiKey?.id ?? '';
  const look = `query L($id: ID!) { node(id: $id) { ... on ApiKey {
    rotateEvery rotateWithin rotationDueAt secrets { status createdAt expiresAt } } } }`;
  const { data } = await api.ask<Scheduled>(tenant.adminKey, look, { id });
  const [secret] = data?.node.secrets ?? [];
  const after = (days: number) => new Date(Date.parse(secret?.createdAt ?? '') + days * 86_400_000).toISOString();
  expect(data?.node).toMatchObject({ rotateEvery: 'P30D', rotateWithin: 'P7D' });
  expect(new Date(data?.node.rotationDueAt ?? 0).toISOString()).toBe(after(30));
  expect([secret?.status, new Date(secret?.expiresAt ?? 0).toISOString()]).toEqual(['ACTIVE', after(37)]);

  const due = async () => {
    const list = '{ apiKeys(first: 100, isRotationDue: true) { nodes { id } count { value } } }';
    const { data } = await api.ask<{ apiKeys: { nodes: { id: string }[]; count: { value: number } } }>(tenant.adminKey, list);
    return [data?.apiKeys.nodes.map((node) => node.id), data?.apiKeys.count.value];
  };
  expect(await due()).toEqual([[], 0]);
  const { db } = api.database.writer;
  const uuid = uuidFromId('apiKey', id) ?? '';
  await db
    .updateTable('api_keys')
    .set({ rotation_due_at: new Date(Date.now() - 60_000) })
    .where('id', '=', uuid)
    .execute();
  expect(await due()).toEqual([[id], 1]);
  const told = () => db.selectFrom('audit_events').select('targets').where('action', '=', 'api_key.rotation_due').execute();
  await eventually(async () => (await told()).length > 0);
  expect(await told()).toMatchObject([{ targets: [{ type: 'api_key', id }] }]);

  const rotated = await change(rotate, { idempotencyKey: 'due-2', id });
  expect(rotated.apiKey?.secrets.map(({ status }) => status)).toEqual(['ACTIVE', 'GRACE']);
  expect(await due()).toEqual([[], 0]);
  expect(await change(update, { id, expectedVersion: 2, rotateEvery: 'PT1S' })).toMatchObject({
    apiKey: null,
    errors: [{ __typename: 'InvalidInput', path: ['input', 'rotateEvery'] }],
  });
  expect((await change(update, { id, expectedVersion: 2, rotateEvery: null })).errors).toEqual([]);
  expect((await api.ask<Scheduled>(tenant.adminKey, look, { id })).data?.node).toMatchObject({ rotateEvery: null, rotationDueAt: null });
});
