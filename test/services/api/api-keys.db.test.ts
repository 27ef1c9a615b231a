import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';

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

test('nobody hands on more than they have', async () => {
  const { secret } = await api.makeKey(tenant.organizationId, ['api_key:create', 'api_key:read', 'request:read', 'api_key:rotate']);
  const granted = await change(create, { idempotencyKey: 'grant-1', name: 'Reader', kind: 'ADMIN', permissions: ['request:read'] }, secret);
  expect(granted.errors).toEqual([]);
  const beyond = await api.ask(secret, create, { input: { idempotencyKey: 'grant-2', name: 'All', kind: 'ADMIN', permissions: ['*'] } });
  expect(beyond.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
  const { data } = await api.ask<{ viewer: { apiKey: { id: string } } }>(tenant.adminKey, '{ viewer { apiKey { id } } }');
  const stolen = await api.ask(secret, rotate, { input: { idempotencyKey: 'grant-3', id: data?.viewer.apiKey.id } });
  expect(stolen.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
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
