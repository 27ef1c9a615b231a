import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid, mintUuid } from '../../../schema/values/ids.ts';
import { forgetAnswers } from '../../../services/api/changes/forget-answers.ts';
import { priceVersion, sheetFromPerMillion } from '../../../services/pricing/price-sheet.ts';
import { readSnapshot } from '../../../services/registry/read-snapshot.ts';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { sequence } from '../../harness/graphql-books.ts';

let api: TestApi;
let tenant: TestTenant;
beforeAll(async () => {
  api = await startTestApi();
  tenant = await api.makeTenant('registry', ['*', 'installation:admin']);
});
afterAll(() => api[Symbol.asyncDispose]());

interface Change {
  readonly errors: readonly { readonly __typename: string; readonly path: readonly string[] }[];
  readonly auditEventId: string | null;
  readonly [entity: string]: unknown;
}

async function mutate(text: string, key = tenant.adminKey): Promise<Change> {
  const answer = await api.ask<Record<string, Change>>(key, `mutation { ${text} }`);
  expect([text, answer.errors]).toEqual([text, undefined]);
  const [change] = Object.values(answer.data ?? {});
  if (change === undefined) throw new Error('no payload');
  return change;
}
const common = 'errors { __typename path } auditEventId';

test('a team is made, renamed, taken out of use, and its name is free again', async () => {
  const made = await mutate(`teamCreate(input: { idempotencyKey: "t1", name: "Core" }) { team { id name version } ${common} }`);
  expect(made).toMatchObject({ team: { name: 'Core', version: 1 }, errors: [] });
  const { id } = made.team as { id: string };
  expect(await mutate(`teamCreate(input: { idempotencyKey: "t2", name: "core" }) { team { id } ${common} }`)).toMatchObject({
    team: null,
    errors: [{ __typename: 'NameTaken', path: ['input', 'name'] }],
  });
  expect(
    await mutate(`teamUpdate(input: { id: "${id}", expectedVersion: 1, name: "Core 2" }) { team { name version } ${common} }`),
  ).toMatchObject({
    team: { name: 'Core 2', version: 2 },
  });
  expect(await mutate(`teamArchive(input: { id: "${id}", expectedVersion: 2 }) { team { archivedAt } ${common} }`)).toMatchObject({
    team: { archivedAt: expect.stringMatching(/Z$/) },
  });
  expect(await mutate(`teamUpdate(input: { id: "${id}", expectedVersion: 3, name: "x" }) { ${common} }`)).toMatchObject({
    errors: [{ __typename: 'InvalidInput' }],
  });
  const { data } = await api.ask<{ teams: { nodes: unknown[]; count: unknown } }>(
    tenant.adminKey,
    '{ teams(first: 10) { nodes { id } count { value isExact } } }',
  );
  expect(data?.teams).toEqual({ nodes: [], count: { value: 0, isExact: true } });
});

test('an organization is made by who administers the installation, and renamed by its own key', async () => {
  const made = await mutate(
    `organizationCreate(input: { idempotencyKey: "o1", slug: "new-one", name: "New" }) { organization { id slug } ${common} }`,
  );
  expect(made).toMatchObject({ organization: { slug: 'new-one' }, errors: [] });
  expect(await mutate(`organizationCreate(input: { idempotencyKey: "o2", slug: "new-one", name: "New" }) { ${common} }`)).toMatchObject({
    errors: [{ __typename: 'NameTaken', path: ['input', 'slug'] }],
  });
  const { data } = await api.ask<{ organization: { id: string; version: number } }>(tenant.adminKey, '{ organization { id version } }');
  const renamed = await mutate(
    `organizationUpdate(input: { id: "${data?.organization.id}", expectedVersion: ${data?.organization.version}, name: "Renamed" }) { organization { name } ${common} }`,
  );
  expect(renamed).toMatchObject({ organization: { name: 'Renamed' } });
});

test('an organization selects what a request is refused with that a budget has no room left for, which proxies hear of and the audit log tells', async () => {
  const own = await api.makeTenant('payment-required', ['*']);
  const read = async () =>
    (await api.ask<{ organization: Record<string, unknown> }>(own.adminKey, '{ organization { id version name budgetExceededStatus } }'))
      .data?.organization;
  const before = await read();
  expect(before).toMatchObject({ budgetExceededStatus: 'TOO_MANY_REQUESTS' });
  const { organizations: nobody } = await readSnapshot(api.database.writer.db);
  const { auditEventId } = await mutate(
    `organizationUpdate(input: { id: "${before?.id}", expectedVersion: ${before?.version}, budgetExceededStatus: PAYMENT_REQUIRED }) { ${common} }`,
    own.adminKey,
  );
  expect(await read()).toEqual({ ...before, version: 2, budgetExceededStatus: 'PAYMENT_REQUIRED' });
  const { organizations } = await readSnapshot(api.database.writer.db);
  expect([nobody, organizations]).toEqual([[], [{ id: idFromUuid('organization', own.organizationId), budgetExceededStatus: 402 }]]);
  await sequence(api.database.writer.db);
  const { data } = await api.ask<{ auditEvents: { nodes: unknown[] } }>(
    own.adminKey,
    '{ auditEvents(first: 1, filter: { action: "organization.update" }) { nodes { id changes { field from to } } } }',
  );
  expect(data?.auditEvents.nodes).toEqual([{ id: auditEventId, changes: [{ field: 'budget_exceeded_status', from: 429, to: 402 }] }]);
});

test('every change has its audit event with who, what and from where, and a position once it is sequenced', async () => {
  const { auditEventId } = await mutate(
    `tagActivate(input: { idempotencyKey: "g1", tagKey: "feature" }) { activatedTags { tagKey } ${common} }`,
  );
  await sequence(api.database.writer.db);
  const { data, errors } = await api.ask<{ auditEvents: { nodes: Record<string, unknown>[] } }>(
    tenant.adminKey,
    '{ auditEvents(first: 1, filter: { action: "tag.activate" }) { nodes { id seq action actor { kind name } targets { type id } origin { requestId address } } } }',
  );
  expect(errors).toBeUndefined();
  expect(data?.auditEvents.nodes).toEqual([
    {
      id: auditEventId,
      seq: expect.stringMatching(/^\d+$/),
      action: 'tag.activate',
      actor: { kind: 'api_key', name: 'test' },
      targets: [{ type: 'tag', id: 'feature' }],
      origin: { requestId: expect.stringMatching(/^req_/), address: '127.0.0.1' },
    },
  ]);
  expect(
    await mutate(`tagDeactivate(input: { idempotencyKey: "g2", tagKey: "feature" }) { activatedTags { tagKey } ${common} }`),
  ).toMatchObject({
    activatedTags: [],
  });
});

test('a refused change leaves nothing behind but its answer', async () => {
  const { db } = api.database.writer;
  const count = async (): Promise<bigint> =>
    (await sql<{ rows: bigint }>`select count(*) as rows from audit_events`.execute(db)).rows[0]?.rows ?? 0n;
  const before = await count();
  const refusal = `apiKeyCreate(input: { idempotencyKey: "refused", name: "x", teamId: "team_00000000000000000000000000" }) { replayed ${common} }`;
  expect(await mutate(refusal)).toMatchObject({ replayed: false, errors: [{ __typename: 'NotFound' }] });
  expect(await mutate(refusal)).toMatchObject({ replayed: true, errors: [{ __typename: 'NotFound' }] });
  expect(await count()).toBe(before);
});

test('an answer is replayed for 48 hours and then forgotten', async () => {
  const { db } = api.database.writer;
  const text = `teamCreate(input: { idempotencyKey: "old", name: "Old" }) { replayed team { id } ${common} }`;
  await mutate(text);
  await db
    .updateTable('idempotency_keys')
    .set({ result: { entityId: null, auditEventId: null, cursor: null, errors: [] } })
    .where('key', '=', 'old')
    .execute();
  await sql`update idempotency_keys set created_at = now() - interval '49 hours' where key = 'old'`.execute(db);
  expect(await mutate(text)).toMatchObject({ replayed: false, errors: [{ __typename: 'NameTaken' }] });
  await sql`update idempotency_keys set created_at = now() - interval '49 hours' where key = 'old'`.execute(db);
  await forgetAnswers(db, new Date(Date.now() - 48 * 3_600_000));
  expect(await db.selectFrom('idempotency_keys').select('key').where('key', '=', 'old').execute()).toEqual([]);
  expect(await db.selectFrom('idempotency_keys').select('key').where('key', '=', 'refused').execute()).toHaveLength(1);
});

test('a model shows the price that held at an instant, exactly, and none before there was one', async () => {
  const { db } = api.database.writer;
  const now = new Date();
  const [providerId, modelId, unpricedId] = [1, 2, 3].map((seed) => mintUuid(now.getTime(), Buffer.alloc(10, seed)));
  const dates = { created_at: now, updated_at: now, archived_at: null, managed_by: null, version: 1 };
  await db
    .insertInto('providers')
    .values({
      id: providerId ?? '',
      name: 'acme',
      protocol: 'openai',
      base_url: 'http://acme.example/v1',
      credential: { env: 'ACME_KEY' },
      options: {},
      ...dates,
    })
    .execute();
  for (const [id, name] of [
    [modelId, 'acme/priced'],
    [unpricedId, 'acme/unpriced'],
  ] as const) {
    await db
      .insertInto('models')
      .values({
        id: id ?? '',
        provider_id: providerId ?? '',
        name,
        upstream_model: name,
        context_window: 128_000n,
        max_output_tokens: null,
        ...dates,
      })
      .execute();
  }
  for (const [input, from] of [
    ['2.5', '2026-01-01T00:00:00Z'],
    ['0.000001', '2026-06-01T00:00:00Z'],
  ] as const) {
    const sheet = sheetFromPerMillion({ input, output: '10', request: '0.001' });
    await db
      .insertInto('price_versions')
      .values({ name: priceVersion(sheet), sheet: JSON.stringify(sheet), created_at: now })
      .execute();
    await db
      .insertInto('model_prices')
      .values({ model_id: modelId ?? '', valid_from: new Date(from), price_version: priceVersion(sheet), source: 'test', created_at: now })
      .execute();
  }
  const tiers = 'version validFrom tiers { tier aboveInputTokens units { unit usd usdPerMillion } }';
  const { data, errors } = await api.ask<{ models: { nodes: Record<string, { tiers: { units: unknown[] }[] } | null>[]; count: unknown } }>(
    tenant.adminKey,
    `{ models(first: 10, filter: { provider: "acme" }) { count { value } nodes { name isPriced contextWindow provider { name hasCredential }
      now: prices { ${tiers} } then: prices(at: "2026-03-01T00:00:00Z") { ${tiers} } before: prices(at: "2025-01-01T00:00:00Z") { version } } } }`,
  );
  expect(errors).toBeUndefined();
  expect(data?.models.count).toEqual({ value: 2 });
  const [priced, unpriced] = data?.models.nodes ?? [];
  expect(priced).toMatchObject({
    name: 'acme/priced',
    isPriced: true,
    contextWindow: '128000',
    provider: { name: 'acme', hasCredential: true },
    before: null,
  });
  expect(priced?.then?.tiers[0]?.units).toContainEqual({ unit: 'input', usd: '0.0000025', usdPerMillion: '2.5' });
  expect(priced?.now?.tiers[0]?.units).toContainEqual({ unit: 'input', usd: '0.000000000001', usdPerMillion: '0.000001' });
  expect(unpriced).toMatchObject({ name: 'acme/unpriced', isPriced: false, now: null });
  expect(JSON.stringify(data)).not.toContain('ACME_KEY');
  const filtered = await api.ask<{ models: { nodes: { name: string }[] } }>(
    tenant.adminKey,
    '{ models(first: 10, filter: { isPriced: false, search: "ACME/" }) { nodes { name } } }',
  );
  expect(filtered.data?.models.nodes).toEqual([{ name: 'acme/unpriced' }]);
});

test('a count is capped, and says so', async () => {
  for (let number = 0; number < 3; number++)
    await mutate(`teamCreate(input: { idempotencyKey: "c${number}", name: "Counted ${number}" }) { ${common} }`);
  const { data } = await api.ask<{ teams: { few: unknown; all: { isExact: boolean } } }>(
    tenant.adminKey,
    '{ teams(first: 1) { few: count(cap: 2) { value isExact } all: count { isExact } } }',
  );
  expect(data?.teams).toMatchObject({ few: { value: 2, isExact: false }, all: { isExact: true } });
  const { errors } = await api.ask(tenant.adminKey, '{ teams(first: 1) { count(cap: 20000) { value } } }');
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
});
