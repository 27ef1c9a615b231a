import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid } from '../../../schema/values/ids.ts';
import { INSTALLATION_ID } from '../../../services/registry/seed.ts';
import { keepDeadLetter } from '../../harness/dead-letters.ts';
import type { Answer, TestApi, TestTenant } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { leaseFunctions, testId } from '../../leases/sql/lease-functions.ts';
import { recordOf, settledEvent } from '../ledger/settled-records.ts';

let api: TestApi;
let tenant: TestTenant;
/** Of the tenant's organization, and may do anything in the installation. */
let administrator: string;
let acts = 0;

beforeAll(async () => {
  api = await startTestApi();
  tenant = await api.makeTenant('bookless');
  ({ secret: administrator } = await api.makeKey(tenant.organizationId, ['*', 'installation:admin']));
});
afterAll(() => api[Symbol.asyncDispose]());

const keep = (letter: Partial<Parameters<typeof keepDeadLetter>[1]> = {}): Promise<string> =>
  keepDeadLetter(api.database.writer.db, { organization_id: tenant.organizationId, ...letter });
const dlt = (uuid: string): string => idFromUuid('deadLetter', uuid);

type Payload = { deadLetter: Record<string, unknown> | null; errors: { code: string; message: string }[]; auditEventId: string | null };

async function act(field: 'deadLetterRetry' | 'deadLetterDiscard', uuid: string, more: Record<string, string> = {}, key = tenant.adminKey) {
  acts += 1;
  const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input!`;
  const { data, errors } = await api.ask<{ act: Payload }>(
    key,
    `mutation Act($input: ${type}) { act: ${field}(input: $input) { deadLetter { id state value key sha256 size headers { name } hasSubject discardReason closedAt }
      errors { code message } replayed auditEventId } }`,
    { input: { idempotencyKey: `act ${acts}`, id: dlt(uuid), ...more } },
  );
  return { ...data?.act, topLevel: errors?.[0]?.extensions?.code };
}

const rowOf = (id: string) => api.database.owner.db.selectFrom('dead_letters').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

async function auditOf(uuid: string) {
  const rows = await api.database.owner.db.selectFrom('audit_events').selectAll().orderBy('occurred_at').orderBy('id').execute();
  return rows.filter(({ targets }) => JSON.stringify(targets).includes(dlt(uuid)));
}

test('a dead letter is shown with its bytes, reason and place, and its personal data apart from its headers', async () => {
  const value = Buffer.from([0, 0xff, 0x7b]);
  const uuid = await keep({
    value,
    headers: { ce_id: 'x', tp_subject: '{"endUser":"eve"}' },
    partition: 5,
    log_offset: 9_007_199_254_740_993n,
  });
  const query = `query L($id: ID!) { deadLetter(id: $id) { id state reason detail organizationId topic partition offset key headers { name value }
    hasSubject subject size sha256 value retries } }`;
  const { data } = await api.ask<{ deadLetter: unknown }>(tenant.adminKey, query, { id: dlt(uuid) });
  expect(data?.deadLetter).toEqual({
    id: dlt(uuid),
    state: 'OPEN',
    reason: 'unparseable',
    detail: 'not JSON',
    organizationId: idFromUuid('organization', tenant.organizationId),
    topic: 'turnpike.requests.v1',
    partition: 5,
    offset: '9007199254740993',
    key: 'a key',
    headers: [{ name: 'ce_id', value: 'x' }],
    hasSubject: true,
    subject: '{"endUser":"eve"}',
    size: 3,
    sha256: createHash('sha256').update(value).digest('hex'),
    value: value.toString('base64'),
    retries: 0,
  });

  const { secret } = await api.makeKey(tenant.organizationId, ['dead_letter:read']);
  const without = await api.ask<{ deadLetter: { subject: unknown } }>(secret, query, { id: dlt(uuid) });
  expect(without.data?.deadLetter.subject).toBeNull();
  expect(without.errors?.map(({ extensions }) => extensions?.code)).toEqual(['FORBIDDEN']);
});

test('letters of no organization and of others are seen by who administers the installation, and by nobody else', async () => {
  const stranger = await api.makeTenant('stranger');
  const [own, nobodys, others] = [
    await keep({ reason: 'reach' }),
    await keep({ organization_id: null, reason: 'reach' }),
    await keep({ organization_id: stranger.organizationId, reason: 'reach' }),
  ];
  const list = async (key: string, filter = ''): Promise<string[]> => {
    const query = `{ deadLetters(first: 50, filter: { reason: { eq: "reach" } ${filter} }) { nodes { id } } }`;
    const { data } = await api.ask<{ deadLetters: { nodes: { id: string }[] } }>(key, query);
    return (data?.deadLetters.nodes ?? []).map(({ id }) => id);
  };
  expect(await list(tenant.adminKey)).toEqual([dlt(own)]);
  expect(await list(stranger.adminKey)).toEqual([dlt(others)]);
  expect((await list(administrator)).sort()).toEqual([own, nobodys, others].map(dlt).sort());
  expect(await list(administrator, 'hasOrganization: false')).toEqual([dlt(nobodys)]);
  expect(await list(administrator, `organizationId: "${idFromUuid('organization', stranger.organizationId)}"`)).toEqual([dlt(others)]);

  for (const uuid of [nobodys, others]) {
    const before = await rowOf(uuid);
    const seen = await api.ask<{ deadLetter: unknown }>(tenant.adminKey, `{ deadLetter(id: "${dlt(uuid)}") { id } }`);
    expect([seen.data?.deadLetter, seen.errors?.[0]?.extensions?.code]).toEqual([null, 'NOT_FOUND']);
    expect((await act('deadLetterRetry', uuid)).errors).toMatchObject([{ code: 'NOT_FOUND' }]);
    expect((await act('deadLetterDiscard', uuid, { reason: 'mine?' })).errors).toMatchObject([{ code: 'NOT_FOUND' }]);
    expect(await rowOf(uuid)).toEqual(before);
  }
});

test('a page of letters recorded in the same millisecond is turned without missing or repeating one', async () => {
  const uuids = await Promise.all(Array.from({ length: 7 }, () => keep({ reason: 'paged', recorded_at: new Date() })));
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const query =
      'query P($after: String) { deadLetters(first: 3, after: $after, filter: { reason: { in: ["paged"] }, state: { in: [OPEN] } }) { nodes { id } pageInfo { hasNextPage endCursor } } }';
    type Page = { deadLetters: { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } };
    const { data }: Answer<Page> = await api.ask<Page>(tenant.adminKey, query, { after });
    seen.push(...(data?.deadLetters.nodes ?? []).map(({ id }) => id));
    after = data?.deadLetters.pageInfo.hasNextPage === true ? data.deadLetters.pageInfo.endCursor : null;
  } while (after !== null);
  expect(seen).toEqual(uuids.map(dlt).sort().reverse());
});

test('a retry is queued with its audit event, once, and changes nothing else', async () => {
  const uuid = await keep();
  const before = await rowOf(uuid);
  const first = await act('deadLetterRetry', uuid);
  expect(first).toMatchObject({ errors: [], deadLetter: { state: 'RETRYING' }, auditEventId: expect.stringContaining('aud_') });
  const again = await act('deadLetterRetry', uuid);
  expect(again).toMatchObject({ errors: [], deadLetter: { state: 'RETRYING' }, auditEventId: null });
  expect(await rowOf(uuid)).toEqual({ ...before, state: 'retrying', retry_requested_at: expect.any(Date) });
  expect(await auditOf(uuid)).toMatchObject([
    {
      organization_id: tenant.organizationId,
      action: 'dead_letter.retry',
      actor: { kind: 'api_key', id: idFromUuid('apiKey', tenant.adminKeyId) },
      changes: [{ field: 'state', from: 'open', to: 'retrying' }],
    },
  ]);
});

test('discarding erases bytes, headers, key and personal data, and keeps the facts, the hash, who and why', async () => {
  const value = Buffer.from('who knows what this is');
  const sha256 = createHash('sha256').update(value).digest('hex');
  const uuid = await keep({ value, headers: { ce_id: 'x', tp_subject: 'eve@example.com' }, organization_id: null });
  const unsaid = await act('deadLetterDiscard', uuid, { reason: '  ' }, administrator);
  expect(unsaid.errors).toMatchObject([{ code: 'INVALID_INPUT' }]);
  const { deadLetter, errors } = await act('deadLetterDiscard', uuid, { reason: 'sent by a load test' }, administrator);
  expect(errors).toEqual([]);
  expect(deadLetter).toEqual({
    id: dlt(uuid),
    state: 'DISCARDED',
    value: null,
    key: null,
    sha256,
    size: value.length,
    headers: [],
    hasSubject: false,
    discardReason: 'sent by a load test',
    closedAt: expect.any(String),
  });
  expect(await rowOf(uuid)).toMatchObject({
    state: 'discarded',
    value: null,
    headers: {},
    record_key: null,
    reason: 'unparseable',
    detail: 'not JSON',
  });

  const [event, ...more] = await auditOf(uuid);
  expect(more).toEqual([]);
  // What cannot be tied to an organization is a matter of the installation's own log.
  expect(event).toMatchObject({ organization_id: INSTALLATION_ID, action: 'dead_letter.discard' });
  expect(JSON.stringify(event?.changes)).toContain(`sha256:${sha256} (${value.length} bytes)`);
  expect(JSON.stringify(event?.changes)).toContain('sent by a load test');
  expect(event?.body.toString()).not.toContain('eve@example.com');
});

test('what a discarded letter settled of budgets is shown with it, as of an orphan', async () => {
  const { db } = api.database.writer;
  const { owner } = api.database;
  const [limit, node] = [testId('limit', 900), testId('node', 900)];
  await owner.execute(`insert into budget_limits (id, organization_id, budget_id, unit, amount, window_kind)
    values ('${limit}', '${tenant.organizationId}', '${testId('budget', 900)}', 'requests', 10, 'lifetime')`);
  const leases = leaseFunctions(db);
  await leases.register(node, 1, 'n');
  const [answer] = await leases.ask(node, 1, [{ limit, need: 3n }]);
  const event = settledEvent({
    organizationId: idFromUuid('organization', tenant.organizationId),
    node: idFromUuid('node', node),
    epoch: 1,
    holds: [{ counter: answer?.counter_id ?? '', hold: '3', debit: '2', cost: '2' }],
  });
  const { key, headers, value } = recordOf(event, { offset: 0n });
  const uuid = await keep({ record_key: key, headers, value });
  expect((await act('deadLetterDiscard', uuid, { reason: 'never again' })).errors).toEqual([]);
  const query = 'query L($id: ID!) { deadLetter(id: $id) { settledHolds { stateId unit state cause held debit cost } } }';
  const { data } = await api.ask<{ deadLetter: unknown }>(tenant.adminKey, query, { id: dlt(uuid) });
  const stateId = idFromUuid('counter', answer?.counter_id ?? '');
  expect(data?.deadLetter).toEqual({
    settledHolds: [{ stateId, unit: 'REQUESTS', state: 'ORPHANED', cause: 'discarded', held: '3', debit: '2', cost: '2' }],
  });
  const [audited] = await auditOf(uuid);
  expect(audited?.changes).toContainEqual({ field: `held.${stateId}`, from: '2', to: '0' });
});

test('what is discarded or posted is closed for good, and a queued letter can still be discarded', async () => {
  const uuid = await keep();
  await act('deadLetterRetry', uuid);
  expect((await act('deadLetterDiscard', uuid, { reason: 'changed my mind' })).errors).toEqual([]);
  for (const again of [await act('deadLetterRetry', uuid), await act('deadLetterDiscard', uuid, { reason: 'again' })]) {
    expect(again.errors).toMatchObject([{ code: 'INVALID_INPUT', message: expect.stringContaining('was discarded') }]);
  }
  expect((await auditOf(uuid)).map(({ action }) => action)).toEqual(['dead_letter.retry', 'dead_letter.discard']);
});

test('each act needs its permission, and one idempotency key acts once', async () => {
  const uuid = await keep();
  const { secret } = await api.makeKey(tenant.organizationId, ['dead_letter:read', 'dead_letter:retry']);
  expect((await act('deadLetterDiscard', uuid, { reason: 'x' }, secret)).topLevel).toBe('FORBIDDEN');
  const { secret: neither } = await api.makeKey(tenant.organizationId, ['ledger:read']);
  expect((await api.ask(neither, `{ node(id: "${dlt(uuid)}") { id } }`)).errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
  const mutation = `mutation { deadLetterRetry(input: { idempotencyKey: "twice", id: "${dlt(uuid)}" }) { replayed errors { code } deadLetter { state } } }`;
  const answers = [await api.ask(secret, mutation), await api.ask(secret, mutation)];
  expect(answers.map(({ data }) => data)).toEqual(
    [false, true].map((replayed) => ({ deadLetterRetry: { replayed, errors: [], deadLetter: { state: 'RETRYING' } } })),
  );
  expect(await auditOf(uuid)).toHaveLength(1);
});

test("the database itself keeps a letter's facts as they were, and a closed one without bytes", async () => {
  const uuid = await keep();
  const { writer } = api.database;
  for (const change of ["reason = 'x'", "detail = ''", 'organization_id = null', 'log_offset = 1', 'recorded_at = now()', "topic = ''"]) {
    await expect(writer.execute(`update dead_letters set ${change} where id = '${uuid}'`), change).rejects.toThrow('permission denied');
  }
  await expect(writer.execute(`delete from dead_letters where id = '${uuid}'`)).rejects.toThrow('permission denied');
  for (const change of [
    "state = 'posted'",
    "state = 'discarded', discard_reason = 'x', closed_at = now()",
    'value = null',
    "state = 'lost'",
  ]) {
    await expect(writer.execute(`update dead_letters set ${change} where id = '${uuid}'`), change).rejects.toThrow(
      'violates check constraint',
    );
  }
});
