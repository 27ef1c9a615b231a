import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid, mintUuid } from '../../../schema/values/ids.ts';
import { createApiKey } from '../../../services/registry/api-keys.ts';
import { activateTag } from '../../../services/registry/tags.ts';
import { createTeam } from '../../../services/registry/teams.ts';
import { eventually } from '../../harness/eventually.ts';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { book, sequence, usageEntry } from '../../harness/graphql-books.ts';
import { everything, schema } from '../../harness/graphql-everything.ts';
import { openSse } from '../../harness/graphql-sse.ts';
import { changeOf, testSecrets } from '../../harness/registry.ts';

/** A tenant with one of everything, all of it recognizable. */
interface Furnished extends TestTenant {
  readonly mark: string;
  readonly teamId: string;
  readonly apiKeyId: string;
  readonly entryId: string;
  readonly auditEventId: string;
}

let api: TestApi;
let one: Furnished;
let two: Furnished;

async function furnish(mark: string): Promise<Furnished> {
  const tenant = await api.makeTenant(mark);
  const { db } = api.database.writer;
  const { organizationId } = tenant;
  const { team } = await changeOf(db, organizationId, (change) => createTeam(change, { name: `${mark} team` }));
  const { key, auditEventId } = await changeOf(db, organizationId, (change) =>
    createApiKey(
      change,
      {
        name: `${mark} key`,
        kind: 'ak',
        environment: 'test',
        teamId: team.id,
        allowedModels: [`${mark}/model`],
        tags: { [`${mark}-tag`]: mark },
        metadata: { note: mark },
        permissions: [],
        expiresAt: null,
      },
      testSecrets,
    ),
  );
  await changeOf(db, organizationId, (change) => activateTag(change, { tagKey: `${mark}-tag` }));
  const entry = usageEntry(organizationId, {
    api_key_id: key.id,
    team_id: team.id,
    provider: mark,
    model: `${mark}/model`,
    tags: { [`${mark}-tag`]: mark },
    error_code: mark,
  });
  await book(db, [entry]);
  await sequence(db);
  return { ...tenant, mark, teamId: team.id, apiKeyId: key.id, entryId: entry.entry_id, auditEventId };
}

beforeAll(async () => {
  api = await startTestApi();
  one = await furnish('firsttenant');
  two = await furnish('secondtenant');
});
afterAll(() => api[Symbol.asyncDispose]());

const idsOf = (tenant: Furnished) => ({
  Organization: idFromUuid('organization', tenant.organizationId),
  Team: idFromUuid('team', tenant.teamId),
  ApiKey: idFromUuid('apiKey', tenant.apiKeyId),
  Request: idFromUuid('request', tenant.entryId),
  LedgerEntry: idFromUuid('entry', tenant.entryId),
  AuditEvent: idFromUuid('auditEvent', tenant.auditEventId),
});

/** Everything in an answer that only the other tenant's data could have put there. */
function tracesOf(tenant: Furnished, answer: unknown): string[] {
  const text = JSON.stringify(answer);
  return [tenant.mark, ...Object.values(idsOf(tenant)), tenant.organizationId, tenant.apiKeyId].filter((trace) => text.includes(trace));
}

const range = 'range: { from: "2026-01-01T00:00:00Z" }';
/** How each root field is asked by one tenant, for what is its own and for what is the other's. */
const questions: Readonly<Record<string, (ids: ReturnType<typeof idsOf>, mark: string) => string[]>> = {
  activatedTags: () => [''],
  apiKeys: (ids) => ['(first: 5)', '(last: 5, includeRevoked: true)', `(first: 5, teamId: "${ids.Team}")`],
  auditEvents: (ids) => ['(first: 5)', `(first: 5, filter: { targetId: "${ids.ApiKey}" })`],
  ledger: (ids) => ['(first: 5)', `(last: 5, filter: { apiKeyId: { eq: "${ids.ApiKey}" } })`],
  models: () => ['(first: 5)'],
  node: (ids) => Object.values(ids).map((id) => `(id: "${id}")`),
  nodes: (ids) => [
    `(ids: [${Object.values(ids)
      .map((id) => `"${id}"`)
      .join(' ')}])`,
  ],
  organization: (_ids, mark) => ['', `(slug: "${mark}")`],
  organizations: () => ['(first: 5)'],
  providers: () => ['(first: 5)'],
  rateLimit: () => [''],
  request: (ids) => [`(id: "${ids.Request}")`],
  requests: (ids, mark) => [
    '(first: 5)',
    `(first: 5, filter: { teamId: { eq: "${ids.Team}" } })`,
    `(first: 5, filter: { model: { eq: "${mark}/model" } })`,
  ],
  serverInfo: () => [''],
  teams: () => ['(first: 5, includeArchived: true)'],
  usage: (ids, mark) => [
    `(${range}, interval: DAY, groupBy: [{ dimension: API_KEY }, { dimension: MODEL }])`,
    `(${range}, interval: DAY, groupBy: [{ dimension: TEAM }], filter: { apiKeyId: { eq: "${ids.ApiKey}" } })`,
    `(${range}, interval: DAY, groupBy: [{ dimension: TAG, tagKey: "${mark}-tag" }])`,
  ],
  viewer: () => [''],
};

test('every root field is asked', () => {
  expect(Object.keys(questions).sort()).toEqual(Object.keys(schema.getQueryType()?.getFields() ?? {}).sort());
});

const fields = Object.values(schema.getQueryType()?.getFields() ?? {});

test.each(fields.map((field) => [field.name, field] as const))(
  '%s shows its own data and nothing of another tenant',
  async (name, field) => {
    const selection = name === 'usage' ? everything(field.type, 4) : everything(field.type, 3);
    for (const question of questions[name]?.(idsOf(two), two.mark) ?? []) {
      const answer = await api.ask(one.adminKey, `{ ${name}${question} ${selection} }`);
      // What was asked for comes back in no error message either.
      expect([question, tracesOf(two, answer)]).toEqual([question, []]);
    }
    for (const question of questions[name]?.(idsOf(one), one.mark) ?? []) {
      const answer = await api.ask(one.adminKey, `{ ${name}${question} ${selection} }`);
      if (name !== 'organizations') expect([question, answer.errors]).toEqual([question, undefined]);
    }
  },
);

test('an id of another tenant answers like one that does not exist: null and NOT_FOUND', async () => {
  const absent = { ...idsOf(two), Team: idFromUuid('team', mintUuid(Date.now(), Buffer.alloc(10, 9))) };
  for (const id of [...Object.values(idsOf(two)), absent.Team]) {
    const { data, errors } = await api.ask<{ node: unknown }>(one.adminKey, 'query N($id: ID!) { node(id: $id) { id } }', { id });
    expect([id, data?.node, errors?.length, errors?.[0]?.extensions?.code]).toEqual([id, null, 1, 'NOT_FOUND']);
  }
  const { data } = await api.ask<{ nodes: unknown[] }>(one.adminKey, 'query N($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
    ids: [idsOf(one).Team, idsOf(two).Team],
  });
  expect(data?.nodes).toEqual([{ id: idsOf(one).Team }, null]);
});

/** Every mutation that names something, pointed at the other tenant's. */
const attacks: Readonly<Record<string, (ids: ReturnType<typeof idsOf>) => string>> = {
  apiKeyCreate: ({ Team }) => `idempotencyKey: "a", name: "x", teamId: "${Team}"`,
  apiKeyRevoke: ({ ApiKey }) => `idempotencyKey: "a", id: "${ApiKey}"`,
  apiKeyRotate: ({ ApiKey }) => `idempotencyKey: "a", id: "${ApiKey}"`,
  apiKeyUpdate: ({ ApiKey }) => `id: "${ApiKey}", expectedVersion: 1, name: "x"`,
  organizationUpdate: ({ Organization }) => `id: "${Organization}", expectedVersion: 1, name: "x"`,
  teamArchive: ({ Team }) => `id: "${Team}", expectedVersion: 1`,
  teamUpdate: ({ Team }) => `id: "${Team}", expectedVersion: 1, name: "x"`,
};
const harmless = ['organizationCreate', 'tagActivate', 'tagDeactivate', 'teamCreate'];

test('every mutation is tried', () => {
  expect([...Object.keys(attacks), ...harmless].sort()).toEqual(Object.keys(schema.getMutationType()?.getFields() ?? {}).sort());
});

test.each(Object.keys(attacks))("%s cannot touch another tenant's object, and says NOT_FOUND", async (name) => {
  const { db } = api.database.writer;
  const state = async () =>
    JSON.stringify([
      await db.selectFrom('api_keys').selectAll().where('organization_id', '=', two.organizationId).execute(),
      await db.selectFrom('teams').selectAll().where('organization_id', '=', two.organizationId).execute(),
      await db.selectFrom('organizations').selectAll().where('id', '=', two.organizationId).execute(),
    ]);
  const before = await state();
  const { data, errors } = await api.ask<Record<string, { errors: { code: string }[] }>>(
    one.adminKey,
    `mutation { ${name}(input: { ${attacks[name]?.(idsOf(two)) ?? ''} }) { errors { code } } }`,
  );
  expect(errors).toBeUndefined();
  expect(data?.[name]?.errors.map((error) => error.code)).toEqual(['NOT_FOUND']);
  expect(await state()).toBe(before);
});

test('a key of another organization is made only by who administers the installation', async () => {
  const input = (key: string) => ({
    input: { idempotencyKey: key, name: 'foreign', kind: 'ADMIN', permissions: ['*'], organizationId: idsOf(two).Organization },
  });
  const query = 'mutation C($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { secret apiKey { name } errors { code } } }';
  const refused = await api.ask(one.adminKey, query, input('f1'));
  expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
  const { secret } = await api.makeKey(one.organizationId, ['*', 'installation:admin']);
  const made = await api.ask<{ apiKeyCreate: { secret: string; apiKey: { name: string } } }>(secret, query, input('f2'));
  expect(made.data?.apiKeyCreate.apiKey.name).toBe('foreign');
  const own = await api.ask<{ organization: { slug: string } }>(made.data?.apiKeyCreate.secret ?? '', '{ organization { slug } }');
  expect(own.data?.organization.slug).toBe(two.mark);
  const all = await api.ask<{ organizations: { nodes: { slug: string }[] } }>(secret, '{ organizations(first: 50) { nodes { slug } } }');
  expect(all.data?.organizations.nodes.map((node) => node.slug)).toEqual(expect.arrayContaining([one.mark, two.mark]));
});

/** What each stream is opened with. */
const openings: Readonly<Record<string, string>> = { changes: '', requestTail: '(filter: {})', usageTicks: '(filter: {})' };

test('streams carry no event and no sum of another tenant', async () => {
  const streams = await Promise.all(
    Object.values(schema.getSubscriptionType()?.getFields() ?? {}).map((field) =>
      openSse(
        api.graphqlUrl,
        one.adminKey,
        `subscription { ${field.name}${openings[field.name] ?? '(unknown: true)'} ${everything(field.type, 3)} }`,
      ),
    ),
  );
  await Promise.all(streams.map((stream) => eventually(() => stream.messages.length > 0, 2_000)));
  const { db } = api.database.writer;
  const own = usageEntry(one.organizationId);
  await book(db, [usageEntry(two.organizationId, { model: `${two.mark}/model` }), own]);
  for (const { organizationId, mark } of [two, one])
    await changeOf(db, organizationId, (change) => createTeam(change, { name: `${mark} live` }));
  await sequence(db);
  const arrived = (text: string) => streams.some((stream) => JSON.stringify(stream.messages).includes(text));
  await eventually(() => arrived(idFromUuid('request', own.entry_id)) && arrived('team.create'), 2_000);
  for (const stream of streams) {
    expect(stream.errors).toEqual([]);
    expect(tracesOf(two, stream.messages)).toEqual([]);
    stream.hangUp();
  }
});

test("the reader's role sees no row of another tenant, and without a tenant none at all", async () => {
  const tables = [
    'teams',
    'api_keys',
    'activated_tags',
    'ledger_entries',
    'usage_minute',
    'usage_hour',
    'usage_day',
    'audit_events',
    'journal_positions',
    'journal_heads',
  ] as const;
  const { db } = api.database.reader;
  for (const table of tables) {
    expect([table, (await db.selectFrom(table).select('organization_id').execute()).length]).toEqual([table, 0]);
  }
});
