import { isObjectType } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid, mintUuid, uuidFromId } from '../../../schema/values/ids.ts';
import { createTeam } from '../../../services/registry/teams.ts';
import { addAlert } from '../../harness/budget-alerts.ts';
import { eventually } from '../../harness/eventually.ts';
import type { TestApi } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { book, sequence, usageEntry } from '../../harness/graphql-books.ts';
import { everyField, everything, leadsToObjects, payloadFields, schema } from '../../harness/graphql-everything.ts';
import type { Furnished } from '../../harness/graphql-furnished.ts';
import { furnish, idsOf, proxyId, tracesOf } from '../../harness/graphql-furnished.ts';
import type { NotedApi } from '../../harness/graphql-noted.ts';
import { createNotedApi } from '../../harness/graphql-noted.ts';
import { changeOf } from '../../harness/registry.ts';

let api: TestApi;
let noted: NotedApi;
let ask: NotedApi['ask'];
let one: Furnished;
let two: Furnished;

beforeAll(async () => {
  api = await startTestApi();
  noted = createNotedApi(api);
  ({ ask } = noted);
  one = await furnish(api, ask, 'firsttenant');
  two = await furnish(api, ask, 'secondtenant');
});
afterAll(() => api[Symbol.asyncDispose]());

/** A report by day reaches no further back than some four hundred of them. */
const range = `range: { from: "${new Date(Date.now() - 30 * 86_400_000).toISOString()}" }`;
/** How each root field is asked by one tenant, for what is its own and for what is the other's. */
const questions: Readonly<Record<string, (ids: ReturnType<typeof idsOf>, mark: string) => string[]>> = {
  activatedTags: () => [''],
  alertChannels: () => ['(first: 5, includeArchived: true)'],
  alertDeliveries: (ids) => ['(first: 5)', `(first: 5, filter: { channelId: "${ids.AlertChannel}" })`],
  apiKeys: (ids) => [
    '(first: 5)',
    '(last: 5, includeRevoked: true)',
    `(first: 5, teamId: "${ids.Team}")`,
    `(first: 5, serviceAccountId: "${ids.ServiceAccount}")`,
    `(first: 5, userId: "${ids.User}")`,
  ],
  auditEvents: (ids) => ['(first: 5)', `(first: 5, filter: { targetId: "${ids.ApiKey}" })`],
  budgetSimulate: (ids) => [
    `(input: { budgetId: "${ids.Budget}" }, ${range})`,
    `(input: { selector: [{ dimension: API_KEY, in: ["${ids.ApiKey}"] }], groupBy: [{ dimension: MODEL }], limits: [${onePerDay}] }, ${range})`,
    `(input: { groupBy: [{ dimension: TEAM }, { dimension: USER }], limits: [${onePerDay}] }, ${range})`,
  ],
  budgetAlerts: (ids) => ['(first: 5)', `(first: 5, budgetId: "${ids.Budget}")`],
  budgets: () => ['(first: 5, includeArchived: true)'],
  rateLimits: () => ['(first: 5, includeArchived: true)'],
  deadLetter: (ids) => [`(id: "${ids.DeadLetter}")`],
  deadLetters: (ids) => ['(first: 1)', `(first: 1, filter: { organizationId: "${ids.Organization}" })`],
  ledger: (ids) => ['(first: 5)', `(last: 5, filter: { apiKeyId: { eq: "${ids.ApiKey}" } })`],
  models: (_ids, mark) => ['(first: 5)', `(first: 5, filter: { provider: "${mark}" })`, '(first: 5, filter: { isPriced: true })'],
  node: (ids) => Object.values(ids).map((id) => `(id: "${id}")`),
  nodes: (ids) => [
    `(ids: [${Object.values(ids)
      .map((id) => `"${id}"`)
      .join(' ')}])`,
  ],
  oldestOpenHolds: () => ['', '(first: 100)'],
  organization: (_ids, mark) => ['', `(slug: "${mark}")`],
  organizations: () => ['(first: 5)'],
  providerCredentials: (ids) => ['(first: 5, includeArchived: true)', `(first: 5, providerId: "${ids.Provider}")`],
  providers: () => ['(first: 5)'],
  proxyNodes: () => ['(first: 5)'],
  rateLimit: () => [''],
  request: (ids) => [`(id: "${ids.Request}")`],
  requests: (ids, mark) => [
    '(first: 5)',
    `(first: 5, filter: { teamId: { eq: "${ids.Team}" } })`,
    `(first: 5, filter: { model: { eq: "${mark}/model" } })`,
  ],
  routeDryRun: (ids, mark) => [
    `(apiKeyId: "${ids.ApiKey}", model: "${mark}/model", requestId: "${ids.Request}")`,
    `(apiKeyId: "${ids.ApiKey}", model: "route/${mark}-route")`,
    `(apiKeyId: "${ids.ApiKey}", model: "${mark}-faded")`,
  ],
  routes: () => ['(first: 5, includeArchived: true)'],
  serverInfo: () => [''],
  serviceAccounts: () => ['(first: 5, includeArchived: true)'],
  teams: () => ['(first: 5, includeArchived: true)'],
  usage: (ids, mark) => [
    `(${range}, interval: DAY, groupBy: [{ dimension: API_KEY }, { dimension: MODEL }])`,
    `(${range}, interval: DAY, groupBy: [{ dimension: TEAM }], filter: { apiKeyId: { eq: "${ids.ApiKey}" } })`,
    `(${range}, interval: DAY, groupBy: [{ dimension: TAG, tagKey: "${mark}-tag" }])`,
    `(${range}, interval: DAY, groupBy: [{ dimension: USER }, { dimension: SERVICE_ACCOUNT }])`,
    `(${range}, interval: DAY, groupBy: [{ dimension: ROUTE }, { dimension: PROVIDER }], filter: { routeId: { eq: "${ids.Route}" } })`,
  ],
  users: () => ['(first: 5, includeArchived: true)'],
  viewer: () => [''],
};

/** Only for who administers it. */
const ofTheInstallation: readonly string[] = ['organizations', 'proxyNodes'];
/** How far down some of them are asked. */
const depths: Readonly<Record<string, number>> = { budgets: 8, budgetSimulate: 5, request: 4, usage: 4 };

test('every root field is asked', () => {
  expect(Object.keys(questions).sort()).toEqual(Object.keys(schema.getQueryType()?.getFields() ?? {}).sort());
});

const fields = Object.values(schema.getQueryType()?.getFields() ?? {});

test.each(fields.map((field) => [field.name, field] as const))(
  '%s shows its own data and nothing of another tenant',
  async (name, field) => {
    const selection = everything(field.type, depths[name] ?? 3);
    // A key of its own: what one key may ask at a stretch is bounded.
    const { secret } = await api.makeKey(one.organizationId, ['*']);
    for (const question of questions[name]?.(idsOf(two), two.mark) ?? []) {
      const answer = await ask(secret, `{ ${name}${question} ${selection} }`);
      // What was asked for comes back in no error message either.
      expect([question, tracesOf(two, answer)]).toEqual([question, []]);
    }
    for (const question of questions[name]?.(idsOf(one), one.mark) ?? []) {
      const answer = await ask(secret, `{ ${name}${question} ${selection} }`);
      if (!ofTheInstallation.includes(name)) expect([question, answer.errors]).toEqual([question, undefined]);
    }
  },
);

test('a dry run with an own key for a name of another tenant finds nothing there', async () => {
  for (const model of [`${two.mark}/model`, 'model', `${two.mark}-route`, `route/${two.mark}-route`]) {
    const { data } = await ask<{ routeDryRun: Record<string, unknown> }>(
      one.adminKey,
      `{ routeDryRun(apiKeyId: "${idsOf(one).ApiKey}", model: "${model}") { refusals { code } route { id } targets { model { id } } skipped { weight } } }`,
    );
    const ownModel = [{ model: { id: idsOf(one).Model } }];
    // The bare name is the one model of both: here it is the tenant's own.
    const expected = model === 'model' ? { refusals: [], targets: ownModel } : { refusals: [{ code: 'model_not_found' }], targets: [] };
    expect([model, data?.routeDryRun]).toEqual([model, { ...expected, route: null, skipped: [] }]);
  }
});

test('every field of every node is asked for by its id, and shows nothing of another tenant', async () => {
  const [own, foreign] = [Object.entries(idsOf(one)), Object.entries(idsOf(two))];
  for (const [index, [name, id]] of own.entries()) {
    const type = schema.getType(name);
    if (!isObjectType(type)) throw new Error(`${name} is no type`);
    const selection = `{ __typename ... on ${name} ${everything(type, 3)} }`;
    const answer = await ask(one.adminKey, `{ node(id: "${id}") ${selection} }`);
    expect([name, answer.errors, tracesOf(two, answer)]).toEqual([name, undefined, []]);
    const refused = await ask(one.adminKey, `{ node(id: "${foreign[index]?.[1] ?? ''}") ${selection} }`);
    expect([name, refused.data, refused.errors?.[0]?.extensions?.code]).toEqual([name, { node: null }, 'NOT_FOUND']);
  }
});

test('one proxy tells of what it holds for all tenants, and each is shown its own', async () => {
  const query = '{ budgets(first: 5) { nodes { state(first: 5) { nodes { id openHolds { holds oldest { requestId } } } } } } }';
  type States = { budgets: { nodes: { state: { nodes: { id: string; openHolds: { holds: number; oldest: unknown[] }[] }[] } }[] } };
  for (const { adminKey, stateId } of [one, two]) {
    const { data } = await api.ask<States>(adminKey, query);
    const states = data?.budgets.nodes.flatMap(({ state }) => state.nodes) ?? [];
    expect(states).toEqual([{ id: stateId, openHolds: [{ holds: 1, oldest: [{ requestId: expect.stringMatching(/^req_/) }] }] }]);
  }
});

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

const onModel = (id: string) => `targets: [{ modelId: "${id}" }]`;
const onePerDay = '{ unit: REQUESTS, amount: "1", window: { kind: DAY } }';
const somePrice = '[{ units: [{ unit: "input", usd: "1" }] }]';
/** Every mutation that names something, pointed at the other tenant's. */
const attacks: Readonly<Record<string, (ids: ReturnType<typeof idsOf>, tenant: Furnished) => string>> = {
  alertChannelArchive: ({ AlertChannel }) => `id: "${AlertChannel}", expectedVersion: 1`,
  alertChannelCreate: ({ Budget }) => `idempotencyKey: "a", name: "x", kind: WEBHOOK, url: "https://x.invalid", budgetIds: ["${Budget}"]`,
  alertChannelTest: ({ AlertChannel }) => `idempotencyKey: "a", id: "${AlertChannel}"`,
  alertChannelUpdate: ({ AlertChannel }) => `id: "${AlertChannel}", expectedVersion: 1, name: "x"`,
  apiKeyCreate: ({ Team }) => `idempotencyKey: "a", name: "x", teamId: "${Team}"`,
  budgetArchive: ({ Budget }) => `id: "${Budget}", expectedVersion: 1`,
  budgetCreate: ({ Team }) =>
    `idempotencyKey: "a", name: "x", enforcement: NOTIFY, selector: [{ dimension: TEAM, in: ["${Team}"] }], limits: [${onePerDay}]`,
  budgetLeaseRelease: (_ids, { stateId }) => `idempotencyKey: "a", stateId: "${stateId}", nodeId: "${proxyId}", epoch: "1", reason: "x"`,
  budgetRaise: ({ Budget }) =>
    `id: "${Budget}", expectedVersion: 1, unit: REQUESTS, window: { kind: DAY }, by: "1", until: "2030-01-01T00:00:00Z", reason: "x"`,
  budgetReset: ({ Budget }) => `id: "${Budget}", expectedVersion: 1, reason: "x"`,
  budgetTopUp: ({ Budget }) => `idempotencyKey: "a", id: "${Budget}", unit: USD, by: "1", reason: "x"`,
  budgetUpdate: ({ Budget }) => `id: "${Budget}", expectedVersion: 1, name: "x"`,
  rateLimitArchive: ({ RateLimit }) => `id: "${RateLimit}", expectedVersion: 1`,
  rateLimitCreate: ({ Team }) =>
    `idempotencyKey: "a", name: "x", selector: [{ dimension: TEAM, in: ["${Team}"] }], limits: [{ unit: TOKENS, amount: "1", per: DAY }]`,
  rateLimitUpdate: ({ RateLimit }) => `id: "${RateLimit}", expectedVersion: 1, name: "x"`,
  deadLetterDiscard: ({ DeadLetter }) => `idempotencyKey: "a", id: "${DeadLetter}", reason: "x"`,
  deadLetterRetry: ({ DeadLetter }) => `idempotencyKey: "a", id: "${DeadLetter}"`,
  modelArchive: ({ Model }) => `id: "${Model}", expectedVersion: 1`,
  modelCreate: ({ Provider }) => `idempotencyKey: "a", providerId: "${Provider}", name: "x"`,
  modelUpdate: ({ Model }) => `id: "${Model}", expectedVersion: 1, contextWindow: "5"`,
  priceOverrideEnd: ({ Model }) => `idempotencyKey: "a", modelId: "${Model}"`,
  priceOverrideSet: ({ Model }) => `idempotencyKey: "a", modelId: "${Model}", price: ${somePrice}`,
  providerArchive: ({ Provider }) => `id: "${Provider}", expectedVersion: 1`,
  providerCredentialCreate: ({ Provider }) => `idempotencyKey: "a", providerId: "${Provider}", name: "x", secret: "sk-x"`,
  providerCredentialRevoke: ({ ProviderCredential }) => `id: "${ProviderCredential}", expectedVersion: 1`,
  providerCredentialRotate: ({ ProviderCredential }) => `idempotencyKey: "a", id: "${ProviderCredential}", secret: "sk-x"`,
  providerCredentialUpdate: ({ ProviderCredential }) => `id: "${ProviderCredential}", expectedVersion: 1, name: "x"`,
  providerCredentialVerify: ({ ProviderCredential }) => `idempotencyKey: "a", id: "${ProviderCredential}"`,
  providerUpdate: ({ Provider }) => `id: "${Provider}", expectedVersion: 1, baseUrl: "https://x.invalid"`,
  routeArchive: ({ Route }) => `id: "${Route}", expectedVersion: 1`,
  routeCreate: ({ Model }) => `idempotencyKey: "a", name: "x", ${onModel(Model)}`,
  routeUpdate: ({ Route }) => `id: "${Route}", expectedVersion: 1, name: "x"`,
  serviceAccountArchive: ({ ServiceAccount }) => `id: "${ServiceAccount}", expectedVersion: 1`,
  serviceAccountUpdate: ({ ServiceAccount }) => `id: "${ServiceAccount}", expectedVersion: 1, name: "x"`,
  userArchive: ({ User }) => `id: "${User}", expectedVersion: 1`,
  userUpdate: ({ User }) => `id: "${User}", expectedVersion: 1, name: "x"`,
  webhookRedeliver: ({ AlertDelivery }) => `idempotencyKey: "a", id: "${AlertDelivery}"`,
  webhookSecretRotate: ({ AlertChannel }) => `idempotencyKey: "a", id: "${AlertChannel}"`,
  apiKeyRevoke: ({ ApiKey }) => `idempotencyKey: "a", id: "${ApiKey}"`,
  apiKeyEndGrace: ({ ApiKey }) => `idempotencyKey: "a", id: "${ApiKey}"`,
  apiKeyRotate: ({ ApiKey }) => `idempotencyKey: "a", id: "${ApiKey}"`,
  apiKeyUpdate: ({ ApiKey }) => `id: "${ApiKey}", expectedVersion: 1, name: "x"`,
  organizationUpdate: ({ Organization }) => `id: "${Organization}", expectedVersion: 1, name: "x"`,
  teamArchive: ({ Team }) => `id: "${Team}", expectedVersion: 1`,
  teamUpdate: ({ Team }) => `id: "${Team}", expectedVersion: 1, name: "x"`,
};
/** Those that name nothing that could be another's. */
const harmless: Readonly<Record<string, string>> = {
  nodeDeclareLost: `nodeId: "${proxyId}", reason: "x"`,
  organizationCreate: 'slug: "x", name: "x"',
  providerCreate: 'name: "x", baseUrl: "https://x.invalid"',
  serviceAccountCreate: 'name: "x"',
  tagActivate: 'tagKey: "x"',
  tagDeactivate: 'tagKey: "x"',
  teamCreate: 'name: "x"',
  userCreate: 'name: "x", email: "x@example.org"',
};

test('every mutation is tried', () => {
  expect([...Object.keys(attacks), ...Object.keys(harmless)].sort()).toEqual(
    Object.keys(schema.getMutationType()?.getFields() ?? {}).sort(),
  );
});

/** But for when a key was last used, which is written late, of uses that came before, and moves its row among the others. */
const textOf = (tables: readonly (readonly unknown[])[]) => tables.map((rows) => rows.map(rowText).sort()).join('\n');
const rowText = (row: unknown) =>
  JSON.stringify(row, (name, value: unknown) => (name === 'last_used_at' ? undefined : typeof value === 'bigint' ? String(value) : value));

test.each(Object.keys(attacks))("%s cannot touch another tenant's object, and says NOT_FOUND", async (name) => {
  const { db } = api.database.writer;
  const state = async () =>
    textOf([
      await db.selectFrom('api_keys').selectAll().where('organization_id', '=', two.organizationId).execute(),
      await db.selectFrom('teams').selectAll().where('organization_id', '=', two.organizationId).execute(),
      await db.selectFrom('organizations').selectAll().where('id', '=', two.organizationId).execute(),
      await db.selectFrom('providers').selectAll().where('organization_id', '=', two.organizationId).execute(),
      await db.selectFrom('provider_credentials').selectAll().where('organization_id', '=', two.organizationId).execute(),
      await db.selectFrom('models').selectAll().where('name', 'like', `${two.mark}/%`).orderBy('id').execute(),
      await db.selectFrom('model_prices').selectAll().where('organization_id', '=', two.organizationId).execute(),
      await db.selectFrom('routes').selectAll().where('organization_id', '=', two.organizationId).execute(),
      await db
        .selectFrom('route_targets')
        .selectAll()
        .where('route_id', '=', uuidFromId('route', idsOf(two).Route))
        .execute(),
      await db.selectFrom('budgets').selectAll().where('organization_id', '=', two.organizationId).execute(),
      await db.selectFrom('leases').selectAll().where('organization_id', '=', two.organizationId).execute(),
      await db.selectFrom('alert_channels').selectAll().where('organization_id', '=', two.organizationId).execute(),
      await db.selectFrom('alert_deliveries').select(['id', 'channel_id']).where('organization_id', '=', two.organizationId).execute(),
      await db.selectFrom('rate_limits').selectAll().where('organization_id', '=', two.organizationId).execute(),
      await db.selectFrom('service_accounts').selectAll().where('organization_id', '=', two.organizationId).execute(),
      await db.selectFrom('users').selectAll().where('organization_id', '=', two.organizationId).execute(),
      await db.selectFrom('dead_letters').selectAll().where('organization_id', '=', two.organizationId).execute(),
    ]);
  const before = await state();
  const answer = await ask<Record<string, { errors: { code: string }[] }>>(
    one.adminKey,
    `mutation { ${name}(input: { ${attacks[name]?.(idsOf(two), two) ?? ''} }) ${payloadFields(name)} }`,
  );
  const { data, errors } = answer;
  expect(errors).toBeUndefined();
  expect(tracesOf(two, answer)).toEqual([]);
  expect(data?.[name]?.errors.map((error) => error.code)).toEqual(['NOT_FOUND']);
  expect(await state()).toBe(before);
});

test.each(Object.entries(harmless))('%s answers with nothing of another tenant', async (name, input) => {
  const answer = await ask(one.adminKey, `mutation { ${name}(input: { idempotencyKey: "harmless", ${input} }) ${payloadFields(name)} }`);
  expect(tracesOf(two, answer)).toEqual([]);
});

test('what a conflict shows as current is its own', async () => {
  const answer = await ask<{ teamUpdate: { errors: unknown[] } }>(
    one.adminKey,
    `mutation { teamUpdate(input: { id: "${idsOf(one).Team}", expectedVersion: 99, name: "x" }) ${payloadFields('teamUpdate')} }`,
  );
  expect(answer.data?.teamUpdate.errors).toMatchObject([{ __typename: 'VersionConflict', current: { id: idsOf(one).Team } }]);
});

test('a target, an owner or a credential of another tenant is refused inside an own object as well', async () => {
  const [own, foreign] = [idsOf(one), idsOf(two)];
  const foreignCredential = `targets: [{ modelId: "${own.Model}", credentialId: "${foreign.ProviderCredential}" }]`;
  const nested: readonly [string, string][] = [
    ['routeUpdate', `id: "${own.Route}", expectedVersion: 1, ${onModel(foreign.Model)}`],
    ['routeUpdate', `id: "${own.Route}", expectedVersion: 1, ${foreignCredential}`],
    ['apiKeyCreate', `idempotencyKey: "n1", name: "x", kind: SERVICE_ACCOUNT, serviceAccountId: "${foreign.ServiceAccount}"`],
    ['apiKeyCreate', `idempotencyKey: "n2", name: "x", userId: "${foreign.User}"`],
    ['apiKeyUpdate', `id: "${own.ApiKey}", expectedVersion: 1, teamId: "${foreign.Team}"`],
    ['alertChannelUpdate', `id: "${own.AlertChannel}", expectedVersion: 1, budgetIds: ["${foreign.Budget}"]`],
  ];
  for (const [name, input] of nested) {
    const { data } = await ask<Record<string, { errors: { code: string }[] }>>(
      one.adminKey,
      `mutation { ${name}(input: { ${input} }) { errors { code } } }`,
    );
    expect([name, input, data?.[name]?.errors.map((error) => error.code)]).toEqual([name, input, ['NOT_FOUND']]);
  }
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
const openings: Readonly<Record<string, string>> = {
  budgetAlerts: '',
  changes: '',
  requestTail: '(filter: {})',
  usageTicks: '(filter: {})',
};

test('streams carry no event and no sum of another tenant', async () => {
  const streams = await Promise.all(
    Object.values(schema.getSubscriptionType()?.getFields() ?? {}).map((field) =>
      noted.open(one.adminKey, `subscription { ${field.name}${openings[field.name] ?? '(unknown: true)'} ${everything(field.type, 4)} }`),
    ),
  );
  await Promise.all(streams.map((stream) => eventually(() => stream.messages.length > 0)));
  const { db } = api.database.writer;
  const own = usageEntry(one.organizationId);
  await book(db, [usageEntry(two.organizationId, { model: `${two.mark}/model` }), own]);
  for (const { organizationId, mark } of [two, one])
    await changeOf(db, organizationId, (change) => createTeam(change, { name: `${mark} live` }));
  const alerts: string[] = [];
  for (const { organizationId, mark, made } of [two, one])
    alerts.push(await addAlert(db, organizationId, { budgetId: uuidFromId('budget', made.Budget) ?? '', group: `${mark} live` }));
  await sequence(db);
  const arrived = (text: string) => streams.some((stream) => JSON.stringify(stream.messages).includes(text));
  await eventually(
    () => arrived(idFromUuid('request', own.entry_id)) && arrived('team.create') && arrived(idFromUuid('budgetAlert', alerts[1] ?? '')),
  );
  for (const stream of streams) {
    expect(stream.errors).toEqual([]);
    expect(tracesOf(two, stream.messages)).toEqual([]);
    noted.noteAnswer(stream.messages);
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
    'provider_credentials',
    'routes',
    'budgets',
    'budget_limits',
    'budget_counters',
    'leases',
    'lease_log',
    'purged_counters',
    'lease_states',
    'counter_states',
    'rate_limits',
    'shared_limits',
    'shares',
    'service_accounts',
    'users',
    'audit_events',
    'journal_positions',
    'journal_heads',
    'dead_letters',
    'budget_alerts',
    'alert_channels',
    'alert_deliveries',
  ] as const;
  const { db } = api.database.reader;
  for (const table of tables) {
    expect([table, (await db.selectFrom(table).select('organization_id').execute()).length]).toEqual([table, 0]);
  }
});

/** Of a connection, `nodes` were asked for instead: the same objects. */
const sameAsNodes = (field: string): boolean => /(Edge\.(node|cursor)|Connection\.edges)$/.test(field);

test('no field of the schema was left out of the questions above', () => {
  const missed = everyField().filter((field) => !noted.asked.has(field) && !sameAsNodes(field));
  expect(missed).toEqual([]);
});

test('every way from one object to another was gone, and led to something', () => {
  // Where nothing is, nothing can be seen to be kept back. Other than these, each type is a row or a part of one.
  const isOfAnOperation = (field: string): boolean =>
    /^(Query|Mutation|Subscription|\w+Payload)\.|^Query(Organizations|ProxyNodes)/.test(field);
  const ways = everyField().filter((field) => !isOfAnOperation(field) && !sameAsNodes(field) && leadsToObjects(field));
  expect(ways.length).toBeGreaterThan(40);
  expect(ways.filter((field) => !noted.answered.has(field))).toEqual([]);
});
