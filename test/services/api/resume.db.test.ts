import { print } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idFromUuid } from '../../../schema/values/ids.ts';
import { RequestTailDocument, UsageTicksDocument } from '../../generated/graphql/graphql.ts';
import { eventually } from '../../harness/eventually.ts';
import type { TestApi } from '../../harness/graphql.ts';
import { startTestApi } from '../../harness/graphql.ts';
import { book, sequence, usageEntry } from '../../harness/graphql-books.ts';
import { openSse } from '../../harness/graphql-sse.ts';

interface Event {
  readonly __typename: string;
  readonly cursor?: string;
  readonly seq?: string;
  readonly reason?: string;
  readonly refetch?: boolean;
  readonly dropped?: string | null;
  readonly to?: string;
  readonly resumeAfter?: string | null;
  readonly request?: { readonly id: string };
  readonly totals?: { readonly requests: string; readonly cost: { readonly amount: string } };
  readonly groups?: readonly {
    readonly key: readonly { readonly value: string | null }[];
    readonly totals: { readonly requests: string };
  }[];
}

const tail = print(RequestTailDocument);
const ticks = print(UsageTicksDocument);

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const openTail = (key: string, variables: Record<string, unknown> = {}) =>
  openSse<Event>(api.graphqlUrl, key, tail, { filter: {}, ...variables });

/** Books and sequences in small batches until `count` are there. */
async function keepBooking(organizationId: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  const { db } = api.database.writer;
  while (ids.length < count) {
    const entries = Array.from({ length: 1 + Math.floor(Math.random() * 12) }, () => usageEntry(organizationId));
    await book(db, entries);
    if (Math.random() < 0.7) await sequence(db);
    ids.push(...entries.map((entry) => idFromUuid('request', entry.entry_id)));
  }
  await sequence(db);
  return ids;
}

test('a reader that is cut off again and again misses nothing and gets nothing twice', async () => {
  const tenant = await api.makeTenant('resume');
  const seen: string[] = [];
  let after: string | null = null;
  let finished = false;
  const booking = keepBooking(tenant.organizationId, 600).finally(() => {
    finished = true;
  });
  // The first connection is there before anything is booked; each later one begins where the last was cut.
  for (let connections = 0, caughtUp = false; !caughtUp; connections++) {
    const stream = await openTail(tenant.adminKey, { after });
    const patience = 1 + Math.floor(Math.random() * 60);
    const wasFinished = finished;
    await eventually(() => stream.messages.length >= patience || finished);
    if (wasFinished) {
      const all = (await booking).length;
      await eventually(() => seen.length + stream.messages.filter(({ event }) => event.request !== undefined).length >= all);
      caughtUp = true;
    }
    // What arrived after the cursor is forgotten, as when a client dies before it has dealt with it.
    const kept = caughtUp ? stream.messages : stream.messages.slice(0, 1 + Math.floor(Math.random() * stream.messages.length));
    stream.hangUp();
    for (const { event } of kept) {
      expect(event.__typename).toMatch(/^(RequestBooked|StreamHeartbeat)$/);
      if (event.request !== undefined) seen.push(event.request.id);
      after = event.cursor ?? after;
    }
    expect(connections).toBeLessThan(500);
  }
  const booked = await booking;
  expect(new Set(seen).size).toBe(seen.length);
  expect([...seen].sort()).toEqual([...booked].sort());
});

test('the filter holds for what is resumed and for what is live, and the cursor moves past what it leaves out', async () => {
  const tenant = await api.makeTenant('filter');
  const filter = { or: [{ model: { eq: 'sim/slow' } }, { not: { isRated: true } }], outcome: { in: ['SUCCEEDED'] } };
  const { db } = api.database.writer;
  const first = await openTail(tenant.adminKey, { filter });
  const { event: start } = await eventually(() => first.messages[0]);
  first.hangUp();
  const make = () => [
    usageEntry(tenant.organizationId, { model: 'sim/slow' }),
    usageEntry(tenant.organizationId),
    usageEntry(tenant.organizationId, { cost: null, unrated: 'unknown_model' }),
    usageEntry(tenant.organizationId, { model: 'sim/slow', outcome: 'failed' }),
  ];
  const before = make();
  await book(db, before);
  await sequence(db);
  const stream = await openTail(tenant.adminKey, { filter, after: start.cursor });
  await eventually(() => stream.messages.filter(({ event }) => event.request !== undefined).length === 2);
  const live = make();
  await book(db, live);
  await sequence(db);
  await eventually(() => stream.messages.filter(({ event }) => event.request !== undefined).length === 4);
  const wanted = [before[0], before[2], live[0], live[2]].map((entry) => idFromUuid('request', entry?.entry_id ?? ''));
  expect(stream.messages.flatMap(({ event }) => (event.request === undefined ? [] : [event.request.id])).sort()).toEqual(wanted.sort());
  stream.hangUp();
});

test('a cursor is good for its own organization, stream and filter only', async () => {
  const tenant = await api.makeTenant('cursor-one');
  const other = await api.makeTenant('cursor-two');
  const stream = await openTail(tenant.adminKey);
  const { event } = await eventually(() => stream.messages[0]);
  stream.hangUp();
  const attempts = [
    openTail(other.adminKey, { after: event.cursor }),
    openTail(tenant.adminKey, { after: event.cursor, filter: { stream: true } }),
    openTail(tenant.adminKey, { after: `${event.cursor?.slice(0, -2)}AA` }),
    openTail(tenant.adminKey, { after: 'nonsense' }),
    openSse(api.graphqlUrl, tenant.adminKey, ticks, { filter: {}, groupBy: [], interval: 'PT1S', after: event.cursor }),
  ];
  for (const attempt of attempts) {
    const refused = await attempt;
    await refused.ended;
    expect(refused.messages).toEqual([]);
    expect(refused.errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
  }
});

test("a mutation's cursor resumes any stream right before the change is in it", async () => {
  const tenant = await api.makeTenant('cursor-of-change');
  const answer = await api.ask<{ teamCreate: { cursor: string } }>(
    tenant.adminKey,
    'mutation { teamCreate(input: { idempotencyKey: "c", name: "c" }) { cursor } }',
  );
  const entry = usageEntry(tenant.organizationId);
  await book(api.database.writer.db, [entry]);
  await sequence(api.database.writer.db);
  const stream = await openTail(tenant.adminKey, { after: answer.data?.teamCreate.cursor });
  const seen = await eventually(() => stream.messages.find(({ event }) => event.request !== undefined));
  expect(seen.event.request?.id).toBe(idFromUuid('request', entry.entry_id));
  stream.hangUp();
});

test('a cursor older than what is kept gets a gap and then goes on live', async () => {
  const tenant = await api.makeTenant('expired');
  const { db } = api.database.writer;
  const first = await openTail(tenant.adminKey);
  const { event: start } = await eventually(() => first.messages[0]);
  first.hangUp();
  await book(db, [usageEntry(tenant.organizationId)]);
  await sequence(db);
  // As if it had been sequenced 80 hours ago: only the owner can make it so, and only by setting the guard aside.
  await api.database.owner.execute(`alter table journal_positions disable trigger forbid_change;
    update journal_positions set sequenced_at = now() - interval '80 hours' where organization_id = '${tenant.organizationId}';
    alter table journal_positions enable always trigger forbid_change;`);
  const stream = await openTail(tenant.adminKey, { after: start.cursor });
  const gap = await eventually(() => stream.messages.find(({ event }) => event.__typename === 'StreamGap'));
  expect(gap.event).toMatchObject({ reason: 'EXPIRED', refetch: true });
  await book(db, [usageEntry(tenant.organizationId)]);
  await sequence(db);
  await eventually(() => stream.messages.find(({ event }) => event.request !== undefined));
  stream.hangUp();
});

test('usage ticks are cumulative, grouped, and come at most once in an interval', async () => {
  const tenant = await api.makeTenant('ticks');
  const { db } = api.database.writer;
  const openedMs = performance.now();
  const stream = await openSse<Event>(api.graphqlUrl, tenant.adminKey, ticks, {
    filter: {},
    groupBy: [{ dimension: 'MODEL' }],
    interval: 'PT1S',
  });
  await eventually(() => stream.messages.find(({ event }) => event.__typename === 'UsageTick'));
  for (let batch = 0; batch < 5; batch++) {
    await book(db, [usageEntry(tenant.organizationId), usageEntry(tenant.organizationId, { model: 'sim/slow' })]);
    await sequence(db);
  }
  const last = await eventually(() => stream.messages.find(({ event }) => event.totals?.requests === '10'));
  expect(last.event.totals?.cost.amount).toBe('0.000015');
  expect(last.event.groups?.map((group) => [group.key[0]?.value, group.totals.requests]).sort()).toEqual([
    ['sim/echo', '5'],
    ['sim/slow', '5'],
  ]);
  const arrivals = stream.messages.filter(({ event }) => event.__typename === 'UsageTick').map(({ atMs }) => atMs);
  // Between any two: what is told late brings the next one nearer, and all of them take their time together.
  expect((arrivals.at(-1) ?? 0) - openedMs).toBeGreaterThan((arrivals.length - 1) * 1_000 - 100);
  stream.hangUp();
});

test('a stream that is left is let go of at once', async () => {
  const tenant = await api.makeTenant('leaver');
  const streams = await Promise.all(Array.from({ length: 5 }, () => openTail(tenant.adminKey)));
  await Promise.all(streams.map((stream) => eventually(() => stream.messages[0])));
  expect(api.server.followed()).toBeGreaterThanOrEqual(1);
  for (const stream of streams) stream.hangUp();
  await eventually(() => api.server.followed() === 0);
});
