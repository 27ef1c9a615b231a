import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { mintVirtualKey } from '../../../schema/values/virtual-key.ts';
import { commitmentTo } from '../../../services/proxy/settlement/subject.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import { eventually } from '../../harness/eventually.ts';
import { secretOf, startProxy, testKey, testModel } from '../../harness/proxy.ts';
import { startScriptedUpstream } from '../../harness/scripted-upstream.ts';

const messages = [{ role: 'user' as const, content: 'hello' }];
const body = { model: 'fast', messages };
const hourAgo = Date.now() - 3_600_000;
const inAnHour = Date.now() + 3_600_000;
const unknownKey = (): string => mintVirtualKey('ak', 'test', systemRandom.bytes);

describe('a key', () => {
  test('is accepted in each of its headers', async () => {
    await using upstream = await startScriptedUpstream();
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    for (const [name, value] of [
      ['authorization', `Bearer ${proxy.key}`],
      ['authorization', `bearer ${proxy.key}`],
      ['api-key', proxy.key],
      ['x-api-key', proxy.key],
      ['x-goog-api-key', proxy.key],
      ['x-litellm-api-key', `Bearer ${proxy.key}`],
    ] as const) {
      const response = await fetch(`${proxy.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', [name]: value },
      });
      expect([name, response.status]).toEqual([name, 200]);
      expect(JSON.stringify(upstream.requests.at(-1)?.headers)).not.toContain(proxy.key);
    }
  });

  test('that is none, unknown, expired, revoked or disabled has its own answer and makes no event', async () => {
    await using upstream = await startScriptedUpstream();
    const expired = testKey({ expiresAt: hourAgo });
    const revoked = testKey({ revokedAt: hourAgo });
    const disabled = testKey({ disabledAt: hourAgo });
    const rotated = unknownKey();
    const inGrace = unknownKey();
    const rotating = testKey({
      secrets: [secretOf(rotated, hourAgo), secretOf(inGrace, inAnHour)],
    });
    await using proxy = await startProxy({
      providers: { acme: upstream.baseUrl },
      models: [testModel('acme/fast')],
      keys: [expired.key, revoked.key, disabled.key, rotating.key],
    });
    const code = async (key: string | null): Promise<unknown[]> => {
      const response = await proxy.chat(body, { headers: { authorization: key === null ? '' : `Bearer ${key}` } });
      return [response.status, Object(await response.json()).error?.code];
    };
    expect(await code(null)).toEqual([401, 'invalid_api_key']);
    expect(await code('tpk_ak_nope')).toEqual([401, 'invalid_api_key']);
    expect(await code(unknownKey())).toEqual([401, 'invalid_api_key']);
    expect(await code(expired.secret)).toEqual([401, 'key_expired']);
    expect(await code(revoked.secret)).toEqual([401, 'key_revoked']);
    expect(await code(disabled.secret)).toEqual([403, 'key_disabled']);
    expect(await code(rotated)).toEqual([401, 'key_expired']);
    expect(await code(inGrace)).toEqual([200, undefined]);
    const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: unknownKey(), maxRetries: 2 });
    await expect(client.chat.completions.create(body)).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    await proxy.stop();
    expect(proxy.events).toHaveLength(1);
    expect(upstream.requests).toHaveLength(1);
  });

  test('bound to addresses and endpoints is refused elsewhere and for anything else, with an event that says so', async () => {
    await using upstream = await startScriptedUpstream();
    const elsewhere = testKey({ allowedCidrs: ['192.0.2.0/24', '2001:db8::/32'] });
    const here = testKey({ allowedCidrs: ['192.0.2.0/24', '127.0.0.0/8', '::1/128'] });
    const lists = testKey({ allowedEndpoints: ['/v1/models'] });
    await using proxy = await startProxy({
      providers: { acme: upstream.baseUrl },
      models: [testModel('acme/fast')],
      keys: [elsewhere.key, here.key, lists.key],
    });
    const asked = async (secret: string, ask: typeof proxy.get, what: string): Promise<unknown[]> => {
      const response = await ask(what, { headers: { authorization: `Bearer ${secret}` } });
      const { error } = Object(await response.json());
      return [response.status, error?.type, error?.code, response.headers.get('x-should-retry')];
    };
    const chat = (_path: string, init?: RequestInit) => proxy.chat(body, init);
    const refused = (code: string) => [403, 'permission_error', code, 'false'];
    expect(await asked(elsewhere.secret, chat, '')).toEqual(refused('address_not_allowed'));
    expect(await asked(elsewhere.secret, proxy.get, '/v1/models')).toEqual(refused('address_not_allowed'));
    expect((await asked(here.secret, chat, ''))[0]).toBe(200);
    expect(await asked(lists.secret, chat, '')).toEqual(refused('endpoint_not_allowed'));
    expect((await asked(lists.secret, proxy.get, '/v1/models'))[0]).toBe(200);
    expect((await asked(lists.secret, proxy.get, '/v1/models/acme/fast'))[0]).toBe(200);
    // What a client says of itself moves it nowhere.
    const forged = await proxy.chat(body, {
      headers: { authorization: `Bearer ${elsewhere.secret}`, 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.1' },
    });
    expect(forged.status).toBe(403);
    const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: lists.secret, maxRetries: 2 });
    await expect(client.chat.completions.create(body)).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
    await proxy.stop();
    const told = proxy.events.filter(({ event }) => event.outcome === 'rejected').map(({ event }) => [event.apiKeyId, event.errorCode]);
    const ofAddress = [elsewhere.key.id, 'address_not_allowed'];
    const ofEndpoint = [lists.key.id, 'endpoint_not_allowed'];
    expect(told).toEqual([ofAddress, ofAddress, ofEndpoint, ofAddress, ofEndpoint]);
    expect(upstream.requests).toHaveLength(1);
  });

  test('behind a trusted proxy is bound to the client’s address, and bad ones are limited by it', async () => {
    await using upstream = await startScriptedUpstream();
    const bound = testKey({ allowedCidrs: ['192.0.2.0/24'] });
    await using proxy = await startProxy({
      providers: { acme: upstream.baseUrl },
      models: [testModel('acme/fast')],
      keys: [bound.key],
      trustedProxies: ['127.0.0.0/8', '::1/128'],
    });
    const from = async (address: string, secret: string): Promise<number> => {
      const headers = { authorization: `Bearer ${secret}`, 'x-forwarded-for': address };
      const response = await proxy.chat(body, { headers });
      await response.text();
      return response.status;
    };
    expect(await from('192.0.2.7', bound.secret)).toBe(200);
    expect(await from('192.0.2.7, 198.51.100.1', bound.secret)).toBe(403);
    expect(await from('nobody', bound.secret)).toBe(403);
    let status = 401;
    for (let tries = 0; tries < 2_000 && status === 401; tries++) status = await from('203.0.113.9', unknownKey());
    expect(status).toBe(429);
    expect(await from('203.0.113.8', unknownKey())).toBe(401);
    await proxy.stop();
    expect(proxy.events.map(({ subject }) => subject?.address)).toEqual(['192.0.2.7', '198.51.100.1', null]);
  });

  test('tried without end from one address is limited, and a good key there still works', async () => {
    await using upstream = await startScriptedUpstream();
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    expect((await proxy.chat(body)).status).toBe(200);
    const statuses = new Set<number>();
    // Some are forgiven with every second that this takes.
    for (let tries = 0; tries < 2_000 && !statuses.has(429); tries++) {
      const response = await proxy.chat(body, { headers: { authorization: `Bearer ${unknownKey()}` } });
      statuses.add(response.status);
      if (response.status === 429) expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      await response.body?.cancel();
    }
    expect([...statuses]).toEqual([401, 429]);
    expect((await proxy.chat(body)).status).toBe(200);
  });

  test('is refused everywhere a moment after it was revoked', async () => {
    await using upstream = await startScriptedUpstream();
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    expect((await proxy.chat(body)).status).toBe(200);
    const revokedAt = Date.now();
    proxy.snapshot = { ...proxy.snapshot, revision: '2', keys: proxy.snapshot.keys.map((key) => ({ ...key, revokedAt })) };
    await eventually(async () => (await proxy.chat(body)).status === 401);
  });
});

describe('the registry', () => {
  test('may be away: what was known is served, and a start takes it from disk', async () => {
    await using upstream = await startScriptedUpstream();
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    proxy.registryAway = true;
    expect((await proxy.chat(body)).status).toBe(200);
    expect(await eventually(async () => ((await proxy.metric('snapshot_age_seconds')) ?? 0) > 0.2)).toBe(true);
    const ready = await proxy.get('/readyz');
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ details: { snapshot: expect.stringMatching(/^confirmed [\d.]+ s ago$/) } });
    const secret = proxy.key;
    await proxy.stop();
    await using again = await startProxy({ providers: {}, models: [], home: proxy.home, registryAway: true });
    expect((await again.chat(body, { headers: { authorization: `Bearer ${secret}` } })).status).toBe(200);
  });

  test('that never answered leaves a proxy that is not ready and says so', async () => {
    await using proxy = await startProxy({ providers: {}, models: [], registryAway: true });
    const response = await proxy.chat(body);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await proxy.get('/readyz')).status).toBe(503);
    expect((await proxy.get('/healthz')).status).toBe(200);
    proxy.registryAway = false;
    await eventually(async () => (await proxy.get('/readyz')).status === 200);
  });

  test('may offer a provider at another address from one moment to the next', async () => {
    await using first = await startScriptedUpstream();
    await using second = await startScriptedUpstream();
    await using proxy = await startProxy({ providers: { acme: first.baseUrl }, models: [testModel('acme/fast')] });
    expect((await proxy.chat(body)).status).toBe(200);
    proxy.snapshot = {
      ...proxy.snapshot,
      revision: '2',
      providers: proxy.snapshot.providers.map((provider) => ({ ...provider, baseUrl: second.baseUrl })),
    };
    await eventually(async () => {
      await (await proxy.chat(body)).text();
      return second.requests.length > 0;
    });
  });
});

describe('labels', () => {
  test('are the key’s tags with the request’s added; persons stand beside the event', async () => {
    await using upstream = await startScriptedUpstream();
    const tagged = testKey({ tags: { team: 'search' } });
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')], keys: [tagged.key] });
    const authorization = `Bearer ${tagged.secret}`;
    const response = await proxy.chat(
      { ...body, user: 'from-body', metadata: { theirs: 'yes' } },
      {
        headers: {
          authorization,
          'x-turnpike-tags': '{"feature":"chat"}',
          'x-litellm-tags': 'ignored',
          'x-turnpike-metadata': '{"ticket":"T-1"}',
          'x-litellm-end-user-id': 'person-7',
        },
      },
    );
    const event = await proxy.eventOf(response.headers.get('x-request-id'));
    expect(event.tags).toEqual({ team: 'search', feature: 'chat' });
    expect(JSON.stringify(event)).not.toMatch(/person-7|T-1|127\.0\.0\.1|from-body/);
    const { subject } = proxy.events[0] ?? {};
    expect(subject).toMatchObject({ endUser: 'person-7', address: '127.0.0.1', metadata: { ticket: 'T-1' } });
    expect(event.subjectCommitment).toBe(subject === null || subject === undefined ? '' : commitmentTo(JSON.stringify(subject)));
    expect(JSON.parse(upstream.requests[0]?.body ?? '')).toMatchObject({ user: 'from-body', metadata: { theirs: 'yes' } });

    const listed = await proxy.chat(
      { ...body, user: 'from-body' },
      { headers: { authorization, 'x-litellm-tags': 'job:42,nightly, a=b' } },
    );
    expect((await proxy.eventOf(listed.headers.get('x-request-id'))).tags).toEqual({ team: 'search', job: '42', nightly: 'true', a: 'b' });
    expect(proxy.events[1]?.subject?.endUser).toBe('from-body');
  });

  test.each([
    ['x-turnpike-tags', '{"team":"other"}'],
    ['x-turnpike-tags', '{"a":1}'],
    ['x-turnpike-tags', `{"a":"${'x'.repeat(300)}"}`],
    ['x-litellm-tags', Array.from({ length: 40 }, (_, index) => `t${index}`).join(',')],
    ['x-turnpike-metadata', 'not json'],
    ['x-turnpike-metadata', '["a"]'],
    ['x-turnpike-end-user-id', 'x'.repeat(300)],
    ['x-litellm-timeout', '5'],
    ['x-turnpike-num-retries', '3'],
  ])('that cannot be obeyed are refused by header name: %s', async (name, value) => {
    const tagged = testKey({ tags: { team: 'search' } });
    await using proxy = await startProxy({ providers: {}, models: [], keys: [tagged.key] });
    const response = await proxy.chat(body, { headers: { authorization: `Bearer ${tagged.secret}`, [name]: value } });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'header_not_allowed', param: name } });
    expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({ outcome: 'rejected', tags: { team: 'search' } });
  });
});
