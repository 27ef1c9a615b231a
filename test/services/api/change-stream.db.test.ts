import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid } from '../../../schema/values/ids.ts';
import { eventually } from '../../harness/eventually.ts';
import type { TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { book, sequence, usageEntry } from '../../harness/graphql-books.ts';
import type { SseStream } from '../../harness/graphql-sse.ts';
import { openSse } from '../../harness/graphql-sse.ts';
import { median } from '../../harness/median.ts';

interface Event {
  readonly __typename: string;
  readonly cursor?: string;
  readonly seq?: string;
  readonly reason?: string;
  readonly change?: {
    readonly objects: readonly { readonly type: string; readonly id: string }[];
    readonly action: string;
    readonly at: string;
    readonly auditEventId: string;
  };
}

const changes = `subscription C($types: [ChangeType!], $after: Cursor) { changes(types: $types, after: $after) { __typename
  ... on ChangeMade { cursor seq change { objects { type id } action at auditEventId } }
  ... on StreamHeartbeat { cursor } ... on StreamGap { reason } ... on StreamEnd { reason } } }`;

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const open = (key: string, variables: Record<string, unknown> = {}) => openSse<Event>(api.graphqlUrl, key, changes, variables);
const made = (stream: SseStream<Event>) => stream.messages.flatMap(({ event }) => (event.change === undefined ? [] : [event]));

const idOf = (event: Event): string | undefined => event.change?.objects[0]?.id;

/** Makes a team through the API; returns its id. */
async function makeTeam(tenant: TestTenant, name: string): Promise<{ id: string; auditEventId: string; cursor: string }> {
  const { data } = await api.ask<{ teamCreate: { team: { id: string }; auditEventId: string; cursor: string } }>(
    tenant.adminKey,
    'mutation T($name: String!) { teamCreate(input: { idempotencyKey: $name, name: $name }) { team { id } auditEventId cursor } }',
    { name },
  );
  if (data == null) throw new Error('no team was made');
  return { ...data.teamCreate, id: data.teamCreate.team.id };
}

test('a committed change is told within a second, with what to ask for again', async () => {
  const tenant = await api.makeTenant('told');
  await sequence(api.database.writer.db);
  const stream = await open(tenant.adminKey);
  await eventually(() => stream.messages.length > 0);
  const toldAfterMs: number[] = [];
  for (const name of ['first', 'second', 'third']) {
    const team = await makeTeam(tenant, name);
    const startedMs = performance.now();
    await sequence(api.database.writer.db);
    const { event, atMs } = await eventually(() => stream.messages.find((message) => idOf(message.event) === team.id));
    toldAfterMs.push(atMs - startedMs);
    expect(event.change).toMatchObject({ objects: [{ type: 'TEAM' }], action: 'team.create', auditEventId: team.auditEventId });
    const { data } = await api.ask<{ node: { name: string }; nodes: { id: string }[] }>(
      tenant.adminKey,
      'query N($id: ID!, $ids: [ID!]!) { node(id: $id) { ... on Team { name } } nodes(ids: $ids) { id } }',
      { id: idOf(event), ids: [event.change?.auditEventId] },
    );
    expect(data).toEqual({ node: { name }, nodes: [{ id: team.auditEventId }] });
  }
  expect(median(toldAfterMs)).toBeLessThan(1_000);
  stream.hangUp();
});

test('a reader that is cut off again and again is told of every change once and in order, whatever is booked between', async () => {
  const tenant = await api.makeTenant('resumed');
  const { db } = api.database.writer;
  await sequence(db);
  const start = await open(tenant.adminKey, { types: ['TEAM'] });
  let after = (await eventually(() => start.messages[0])).event.cursor;
  start.hangUp();
  const seen: string[] = [];
  const expected: string[] = [];
  for (let round = 0; round < 8; round++) {
    const team = await makeTeam(tenant, `team ${round}`);
    expected.push(team.id);
    await book(
      db,
      Array.from({ length: 50 }, () => usageEntry(tenant.organizationId)),
    );
    // Some rounds are read live, some are made up for from the journal later.
    const live = round % 3 === 0 ? await open(tenant.adminKey, { types: ['TEAM'], after }) : null;
    await sequence(db);
    if (live === null) continue;
    await eventually(() => seen.length + made(live).length === expected.length);
    live.hangUp();
    for (const event of made(live)) {
      seen.push(idOf(event) ?? '');
      after = event.cursor ?? after;
    }
  }
  const last = await open(tenant.adminKey, { types: ['TEAM'], after });
  await eventually(() => seen.length + made(last).length === expected.length);
  last.hangUp();
  const rest = made(last);
  expect([...seen, ...rest.map((event) => idOf(event))]).toEqual(expected);
});

test('however many requests were booked meanwhile, a slow reader is passed over nothing', async () => {
  const tenant = await api.makeTenant('lagging');
  const { db } = api.database.writer;
  await sequence(db);
  const first = await open(tenant.adminKey);
  const after = (await eventually(() => first.messages[0])).event.cursor;
  first.hangUp();
  // Positions as the sequencer gives them, without the entries they would belong to: the stream must not look at them.
  const team = await makeTeam(tenant, 'before');
  await sequence(db);
  await api.database.owner.execute(`
    insert into journal_positions (organization_id, position, item_kind, item_id, occurred_at)
      select '${tenant.organizationId}', next_position + n, 'entry', gen_random_uuid(), now() from journal_heads, generate_series(0, 29999) as n
      where organization_id = '${tenant.organizationId}';
    update journal_heads set next_position = next_position + 30000 where organization_id = '${tenant.organizationId}'`);
  const later = await makeTeam(tenant, 'after');
  await sequence(db);
  const stream = await open(tenant.adminKey, { after });
  await eventually(() => made(stream).length === 2);
  expect(made(stream).map((event) => idOf(event))).toEqual([team.id, later.id]);
  expect(stream.messages.some(({ event }) => event.__typename === 'StreamGap')).toBe(false);
  stream.hangUp();
});

test("a mutation's cursor resumes right before its change", async () => {
  const tenant = await api.makeTenant('own-change');
  const team = await makeTeam(tenant, 'mine');
  await sequence(api.database.writer.db);
  const stream = await open(tenant.adminKey, { types: ['TEAM'], after: team.cursor });
  await eventually(() => made(stream).length > 0);
  expect(made(stream)[0]?.change).toMatchObject({ objects: [{ id: team.id }], auditEventId: team.auditEventId });
  stream.hangUp();
});

test('only what is asked for comes, and a cursor is good for the same types only', async () => {
  const tenant = await api.makeTenant('typed');
  const { db } = api.database.writer;
  const stream = await open(tenant.adminKey, { types: ['TAG', 'API_KEY'] });
  const { event: start } = await eventually(() => stream.messages[0]);
  await makeTeam(tenant, 'unseen');
  await api.ask(tenant.adminKey, 'mutation { tagActivate(input: { idempotencyKey: "t", tagKey: "feature" }) { errors { code } } }');
  const { id } = await api.makeKey(tenant.organizationId, []);
  await sequence(db);
  await eventually(() => made(stream).some((event) => idOf(event) === idFromUuid('apiKey', id)));
  expect(made(stream).map((event) => event.change?.objects[0]?.type)).not.toContain('TEAM');
  expect(made(stream).map(({ change }) => [change?.objects[0]?.type, change?.objects[0]?.id])).toContainEqual(['TAG', 'feature']);
  stream.hangUp();
  const refused = await open(tenant.adminKey, { types: ['TEAM'], after: start.cursor });
  await refused.ended;
  expect(refused.errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
});

test('a key is told only of what it may read, and no longer once it may not', async () => {
  const tenant = await api.makeTenant('permitted');
  const { db } = api.database.writer;
  const { id, secret } = await api.makeKey(tenant.organizationId, ['team:read']);
  const refused = await open(secret, { types: ['TEAM', 'API_KEY'] });
  await refused.ended;
  expect(refused.errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
  const stream = await open(secret);
  await eventually(() => stream.messages.length > 0);
  await api.makeKey(tenant.organizationId, []);
  const team = await makeTeam(tenant, 'seen');
  await sequence(db);
  await eventually(() => made(stream).length > 0);
  expect(made(stream).map((event) => idOf(event))).toEqual([team.id]);
  await db
    .updateTable('api_keys')
    .set({ permissions: ['tag:read'] })
    .where('id', '=', id)
    .execute();
  await db.updateTable('registry_revision').set({ revision: sql<bigint>`revision + 1` }).execute();
  const end = await eventually(() => stream.messages.find(({ event }) => event.__typename === 'StreamEnd'));
  expect(end.event.reason).toBe('AUTH_REVOKED');
});
