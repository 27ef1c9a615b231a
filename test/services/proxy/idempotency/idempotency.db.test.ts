import { randomBytes, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { sql } from 'kysely';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { keepHouse } from '../../../../services/ledger/retention.ts';
import { DEFAULT_KEYED_LIMITS } from '../../../../services/proxy/idempotency/keyed-limits.ts';
import type { WantedKey } from '../../../../services/proxy/idempotency/keyed-requests.ts';
import { createKeyedRequests } from '../../../../services/proxy/idempotency/keyed-requests.ts';
import { eventually } from '../../../harness/eventually.ts';
import type { TestProxy } from '../../../harness/proxy.ts';
import { answerJson, answerStream, completion, DONE, openStream, plainStream, textEvent } from '../../../harness/scripted-upstream.ts';
import type { KeyedProxies } from './keyed-proxies.ts';
import { keyedProxies } from './keyed-proxies.ts';

let world: KeyedProxies;
let one: TestProxy;
let two: TestProxy;

beforeAll(async () => {
  world = await keyedProxies();
  one = await world.start();
  two = await world.start();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => {
  world.upstream.script = (response) => answerJson(response, completion());
  world.upstream.requests.length = 0;
});

type Refusal = { readonly error: { readonly code: string; readonly original_request_id?: string; readonly cause?: string } };
const refusalOf = async (response: Response): Promise<Refusal['error']> => ((await response.json()) as Refusal).error;
const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());
const isReplay = (response: Response): boolean => response.headers.get('x-turnpike-idempotent-replay') === 'true';

/** Asks until the original is over and known to be. */
async function settled(proxy: TestProxy, key: string, body: Record<string, unknown> = {}): Promise<Response> {
  return eventually(async () => {
    const response = await world.chat(proxy, key, body);
    if (response.status !== 409) return response;
    const copy = response.clone();
    return (await refusalOf(response)).code === 'idempotency_in_progress' ? null : copy;
  });
}

test('a key sent to two proxies at once is charged once, and everybody gets the same bytes or is told to wait', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => world.chat(index % 2 === 0 ? one : two, 'at-once')));
  const original = answers.find((answer) => answer.status === 200 && !isReplay(answer));
  if (original === undefined) throw new Error('nobody was answered');
  const bytes = await bytesOf(original);
  for (const answer of answers.filter((each) => each !== original)) {
    if (answer.status === 200) expect([isReplay(answer), await bytesOf(answer)]).toEqual([true, bytes]);
    else {
      expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('x-should-retry')]).toEqual([409, '1', null]);
      expect((await refusalOf(answer)).code).toBe('idempotency_in_progress');
    }
  }
  const replay = await settled(two, 'at-once');
  expect(await bytesOf(replay)).toEqual(bytes);
  expect(replay.headers.get('content-type')).toBe(original.headers.get('content-type'));
  expect(replay.headers.get('x-turnpike-original-request-id')).toBe(original.headers.get('x-request-id'));
  expect([replay.headers.get('x-turnpike-model'), replay.headers.get('x-turnpike-cost-usd')]).toEqual(['acme/fast', '0']);
  expect(world.upstream.requests).toHaveLength(1);
  // A replay is a request of its own in the books, at no cost.
  expect(await two.eventOf(replay.headers.get('x-request-id'))).toMatchObject({
    outcome: 'cached',
    status: 200,
    costPico: '0',
    attempts: [],
    holds: [],
    decision: { reason: 'idempotent_replay' },
    replayOf: original.headers.get('x-request-id'),
  });
});

test('who has an answer may repeat the request at the same proxy at once', async () => {
  for (const key of ['at-once-1', 'at-once-2', 'at-once-3']) {
    const bytes = await bytesOf(await world.chat(one, key));
    const replay = await world.chat(one, key);
    expect([replay.status, isReplay(replay), await bytesOf(replay)]).toEqual([200, true, bytes]);
  }
  expect(world.upstream.requests).toHaveLength(3);
});

test('a stream is repeated to the byte, also when it broke', async () => {
  const body = { stream: true, stream_options: { include_usage: true } };
  world.upstream.script = (response) => answerStream(response, plainStream());
  const first = await world.chat(one, 'stream', body);
  const bytes = await bytesOf(first);
  expect(bytes.toString()).toContain(DONE);
  const replay = await settled(two, 'stream', body);
  expect(await bytesOf(replay)).toEqual(bytes);
  expect([isReplay(replay), replay.headers.get('content-type')]).toEqual([true, 'text/event-stream; charset=utf-8']);
  expect(replay.headers.get('x-turnpike-cost-usd')).toBeNull();

  world.upstream.script = (response) => {
    openStream(response);
    response.write(textEvent('Hel'), () => response.destroy());
  };
  const broken = await bytesOf(await world.chat(one, 'broken stream', body));
  expect(broken.toString()).toContain('upstream_broken_stream');
  expect(broken.toString()).not.toContain(DONE);
  expect(await bytesOf(await settled(two, 'broken stream', body))).toEqual(broken);
  expect(world.upstream.requests).toHaveLength(2);
});

test('another body under the same key is refused for good, while the original runs and afterwards; another API key has keys of its own', async () => {
  let open: ServerResponse | null = null;
  world.upstream.script = (response) => {
    open = response;
  };
  const running = world.chat(one, 'conflict');
  const response = await eventually(() => open);
  const during = await world.chat(two, 'conflict', { temperature: 1 });
  world.upstream.script = (other) => answerJson(other, completion());
  answerJson(response, completion());
  const original = (await running).headers.get('x-request-id');
  const after = await world.chat(two, 'conflict', { temperature: 1 });
  for (const refused of [during, after]) {
    expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([409, 'false']);
    expect(await refusalOf(refused)).toMatchObject({ code: 'idempotency_key_conflict', original_request_id: original });
    expect(await two.eventOf(refused.headers.get('x-request-id'))).toMatchObject({ outcome: 'rejected', costPico: '0' });
  }
  expect(world.upstream.requests).toHaveLength(1);
  const other = await world.chat(one, 'conflict', {}, { headers: { authorization: `Bearer ${world.otherSecret}` } });
  expect([other.status, isReplay(other)]).toEqual([200, false]);
  expect(world.upstream.requests).toHaveLength(2);
});

test('what certainly cost nothing may be sent again under its key; what may have cost is not', async () => {
  world.upstream.script = (response) => answerJson(response, { error: { message: 'down', type: 'server_error' } }, 500);
  expect((await world.chat(one, 'free failure')).status).toBe(502);
  world.upstream.script = (response) => answerJson(response, completion());
  const again = await settled(two, 'free failure');
  expect([again.status, isReplay(again)]).toEqual([200, false]);
  expect(world.upstream.requests).toHaveLength(2);

  world.upstream.script = (response) => {
    response.destroy();
  };
  const lost = await world.chat(one, 'unknown cost');
  expect(lost.status).toBe(502);
  const bytes = await bytesOf(lost);
  const replay = await settled(two, 'unknown cost');
  expect([replay.status, isReplay(replay), replay.headers.get('x-should-retry')]).toEqual([502, true, 'false']);
  expect(await bytesOf(replay)).toEqual(bytes);
  expect(world.upstream.requests).toHaveLength(3);
});

test('a request refused before its provider is called leaves its key free', async () => {
  const narrow = await world.start({ providerOptions: { maxConnections: 1 } });
  let open: ServerResponse | null = null;
  world.upstream.script = (response) => {
    open = response;
  };
  const busy = world.chat(narrow, null);
  const response = await eventually(() => open);
  const refused = await world.chat(narrow, 'no connection');
  expect([refused.status, (await refusalOf(refused)).code]).toEqual([503, 'upstream_unavailable']);
  world.upstream.script = (other) => answerJson(other, completion());
  answerJson(response, completion());
  await (await busy).arrayBuffer();
  const served = await eventually(async () => {
    const answer = await world.chat(narrow, 'no connection');
    return answer.status === 200 ? answer : null;
  });
  expect(isReplay(served)).toBe(false);
});

test('a client that left a stream gets all of it by its key; where it was not read to its end, it is told so', async () => {
  const leave = async (proxy: TestProxy, key: string): Promise<ServerResponse> => {
    let open: ServerResponse | null = null;
    world.upstream.script = (response) => {
      open = response;
      openStream(response);
      response.write(textEvent('Hel'));
    };
    const gone = new AbortController();
    const answer = await world.chat(proxy, key, { stream: true }, { signal: gone.signal });
    await answer.body?.getReader().read();
    gone.abort();
    await eventually(async () => (await proxy.metric('proxy_requests_draining')) === 1);
    return eventually(() => open);
  };
  const response = await leave(one, 'left');
  for (const event of [textEvent('lo'), textEvent('', 'stop'), DONE]) response.write(event);
  response.end();
  const replay = await settled(two, 'left', { stream: true });
  const text = (await bytesOf(replay)).toString();
  expect([isReplay(replay), text]).toEqual([true, [textEvent('Hel'), textEvent('lo'), textEvent('', 'stop'), DONE].join('')]);

  const hasty = await world.start({ limits: { drainMaxBytes: 10 } });
  (await leave(hasty, 'left for good')).write(textEvent('much more than that'));
  const refused = await settled(two, 'left for good', { stream: true });
  expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([409, 'false']);
  expect(await refusalOf(refused)).toMatchObject({ code: 'idempotency_answer_not_kept', cause: 'cut' });
  expect(world.upstream.requests).toHaveLength(2);
});

test('what is too large to keep is answered once and then refused, never sent a second time', async () => {
  const small = await world.start({ limits: { keyed: { ...DEFAULT_KEYED_LIMITS, maxAnswerBytes: 1_000 } } });
  const content = 'x'.repeat(2_000);
  world.upstream.script = (response) => answerJson(response, completion({ content }));
  expect((await bytesOf(await world.chat(small, 'large'))).toString()).toContain(content);
  const refused = await settled(two, 'large');
  expect(await refusalOf(refused)).toMatchObject({ code: 'idempotency_answer_not_kept', cause: 'too_large' });

  world.upstream.script = (response) => answerStream(response, [textEvent(content), textEvent('', 'stop'), DONE]);
  expect((await bytesOf(await world.chat(small, 'large stream', { stream: true }))).toString()).toContain(DONE);
  expect(await refusalOf(await settled(two, 'large stream', { stream: true }))).toMatchObject({ cause: 'too_large' });
  expect(world.upstream.requests).toHaveLength(2);
  expect(await small.metric('proxy_idempotency_held_bytes')).toBe(0);
});

test('an organization keeps so many keys and bytes and no more', async () => {
  const setBound = (name: string, value: number) =>
    world.database.owner.execute(
      `create or replace function ${name}() returns integer language sql immutable parallel safe return ${value}`,
    );
  await setBound('keyed_request_part_bytes', 10);
  await (await world.chat(one, 'bytes')).arrayBuffer();
  expect(await refusalOf(await settled(two, 'bytes'))).toMatchObject({ code: 'idempotency_answer_not_kept', cause: 'store_full' });
  await setBound('keyed_request_part_bytes', 16 * 1024 * 1024);
  await setBound('keyed_request_part_rows', 0);
  const refused = await world.chat(one, 'rows');
  expect([refused.status, refused.headers.get('retry-after'), (await refusalOf(refused)).code]).toEqual([
    429,
    '60',
    'idempotency_keys_exhausted',
  ]);
  await setBound('keyed_request_part_rows', 1_600);
  expect(world.upstream.requests).toHaveLength(1);
});

test('without PostgreSQL a request with a key is refused before it is sent, one without is served, and an answer is kept once it is back', async () => {
  let open: ServerResponse | null = null;
  world.upstream.script = (response) => {
    open = response;
  };
  const running = world.chat(one, 'away');
  const response = await eventually(() => open);
  world.away = true;
  world.upstream.script = (other) => answerJson(other, completion());
  answerJson(response, completion());
  const bytes = await bytesOf(await running);
  const refused = await world.chat(two, 'another');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect((await refusalOf(refused)).code).toBe('idempotency_unavailable');
  expect((await world.chat(two, null)).status).toBe(200);
  expect(world.upstream.requests).toHaveLength(2);
  world.away = false;
  // Who was refused may come again at once.
  const again = await world.chat(two, 'another');
  expect([again.status, isReplay(again)]).toEqual([200, false]);
  expect(await bytesOf(await settled(two, 'away'))).toEqual(bytes);
  expect(world.upstream.requests).toHaveLength(3);
  await eventually(async () => (await one.metric('proxy_idempotency_untold')) === 0);
});

test('a request whose proxy is over, silent or lost is not sent again; an answer that comes all the same is kept', async () => {
  const { owner, writer } = world.database;
  const [node, stranger] = [randomUUID(), randomUUID()];
  const wanted = (bodyHash = randomBytes(32)): WantedKey => ({
    organization: world.organization,
    keyHash: randomBytes(32),
    bodyHash,
    request: randomUUID(),
  });
  const dead = createKeyedRequests(writer.db, node, 5);
  const asker = createKeyedRequests(writer.db, stranger, 1);
  const original = wanted();
  const repeated = { ...original, request: randomUUID() };
  const outcome = async (): Promise<string> => (await asker.claim(repeated)).outcome;
  expect(await dead.claim(original)).toEqual({ outcome: 'claimed' });
  // It has not told the database of this boot yet.
  expect(await outcome()).toBe('running');
  await owner.execute(`insert into lease_nodes (id, epoch, incarnation, seen_at) values ('${node}', 4, 'test', now())`);
  expect(await outcome()).toBe('running');
  for (const change of [
    'epoch = 6',
    `epoch = 5, seen_at = now() - interval '2 minutes'`,
    'seen_at = now(), lost_at = now()',
    `epoch = 4, lost_at = null`,
  ]) {
    await owner.execute(`update lease_nodes set ${change} where id = '${node}'`);
    if (change.startsWith('epoch = 4')) await owner.execute(`update keyed_requests set claimed_at = now() - interval '6 minutes'`);
    expect([change, await outcome()]).toEqual([change, 'abandoned']);
  }
  const sealed = Buffer.from('sealed');
  await dead.end(original, { kind: 'kept', sealed });
  expect(await asker.claim(repeated)).toEqual({ outcome: 'kept', original: original.request, answer: sealed });
  // What is said of it later, by itself or by others, changes nothing.
  await dead.end(original, { kind: 'released' });
  await asker.end(repeated, { kind: 'not_kept', cause: 'cut' });
  expect(await outcome()).toBe('kept');
});

test('a key is remembered for a day and forgotten with its answer', async () => {
  await (await world.chat(one, 'yesterday')).arrayBuffer();
  await settled(one, 'yesterday');
  await world.database.owner.execute(`update keyed_requests set claimed_at = claimed_at - interval '24 hours'`);
  const again = await world.chat(two, 'yesterday');
  expect([again.status, isReplay(again)]).toEqual([200, false]);
  await settled(two, 'yesterday');
  expect(world.upstream.requests).toHaveLength(2);
  await keepHouse(world.database.writer.db, Date.now());
  expect(await world.database.writer.db.selectFrom('keyed_requests').select('state').execute()).toEqual([{ state: 'kept' }]);
});

test('neither the key nor anything of the answer stands in the database or the log as it is, and no reader sees the rows', async () => {
  const secrets = ['a key that nobody may see', 'An answer that nobody may see'];
  world.upstream.script = (response) => answerJson(response, completion({ content: secrets[1] }));
  await (await world.chat(one, secrets[0] ?? '')).arrayBuffer();
  await settled(one, secrets[0] ?? '');
  const { rows } = await sql<{
    row: string;
  }>`select keyed_requests::text || coalesce(encode(answer, 'escape'), '') as row from keyed_requests`.execute(world.database.owner.db);
  const everything = `${rows.map(({ row }) => row).join('\n')}\n${[...one.logLines, ...two.logLines].join('\n')}`;
  for (const secret of secrets) expect(everything).not.toContain(secret);
  await expect(world.database.reader.db.selectFrom('keyed_requests').select('state').execute()).rejects.toThrow('permission denied');
});

test('a key that is none is refused and not repeated', async () => {
  for (const key of ['', 'k'.repeat(256), 'caf\u00e9']) {
    const refused = await world.chat(one, key);
    const text = await refused.text();
    expect([refused.status, text]).toEqual([400, expect.stringContaining('"param":"idempotency-key"')]);
    if (key !== '') expect(text).not.toContain(key);
  }
  expect(world.upstream.requests).toHaveLength(0);
});

test('the official client that loses an answer and repeats the request by itself is charged once', async () => {
  /** The client names no header for its `idempotencyKey` unless it is told one. */
  class KeyedClient extends OpenAI {
    protected override idempotencyHeader = 'Idempotency-Key';
  }
  let losses = 1;
  const lossy: typeof fetch = async (...request) => {
    const response = await fetch(...request);
    if (losses === 0) return response;
    losses -= 1;
    await response.arrayBuffer();
    throw new TypeError('fetch failed');
  };
  const client = new KeyedClient({ baseURL: one.baseUrl, apiKey: world.secret, maxRetries: 3, fetch: lossy });
  const { data, response } = await client.chat.completions
    .create({ model: 'acme/fast', messages: [{ role: 'user', content: 'hello' }] }, { idempotencyKey: 'of the client' })
    .withResponse();
  expect([data.choices[0]?.message.content, isReplay(response)]).toEqual(['Hello', true]);
  expect(world.upstream.requests).toHaveLength(1);
  // A refusal that no repetition can mend is not repeated.
  const conflict = client.chat.completions.create(
    { model: 'acme/fast', messages: [{ role: 'user', content: 'something else' }] },
    { idempotencyKey: 'of the client' },
  );
  await expect(conflict).rejects.toThrow(OpenAI.ConflictError);
  expect(world.upstream.requests).toHaveLength(1);
});
