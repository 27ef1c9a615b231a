import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { startProxy, testKey, testModel } from '../../harness/proxy.ts';
import { answerJson, completion, startScriptedUpstream } from '../../harness/scripted-upstream.ts';

const messages = [{ role: 'user' as const, content: 'hello' }];

/** The error the official client throws for a call. */
async function thrownBy(call: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  try {
    await call;
  } catch (error) {
    if (error instanceof OpenAI.APIError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('an error of the provider', () => {
  // Status and body of the provider; class, status, code and attempts the official client sees with one retry allowed.
  test.each([
    [
      400,
      { error: { message: 'no', type: 'invalid_request_error', param: 'n', code: 'context_length_exceeded' } },
      OpenAI.BadRequestError,
      400,
      'context_length_exceeded',
      1,
    ],
    [
      404,
      { error: { message: 'gone', type: 'invalid_request_error', param: null, code: 'model_not_found' } },
      OpenAI.NotFoundError,
      404,
      'model_not_found',
      1,
    ],
    [
      422,
      { error: { message: 'no', type: 'invalid_request_error', param: null, code: null } },
      OpenAI.UnprocessableEntityError,
      422,
      null,
      1,
    ],
    [
      429,
      { error: { message: 'slow', type: 'tokens', param: null, code: 'rate_limit_exceeded' } },
      OpenAI.RateLimitError,
      429,
      'rate_limit_exceeded',
      2,
    ],
    [
      429,
      { error: { message: 'pay', type: 'insufficient_quota', param: null, code: 'insufficient_quota' } },
      OpenAI.InternalServerError,
      502,
      'upstream_credentials_rejected',
      1,
    ],
    [
      401,
      { error: { message: 'key sk-abc', type: 'invalid_request_error', param: null, code: 'invalid_api_key' } },
      OpenAI.InternalServerError,
      502,
      'upstream_credentials_rejected',
      1,
    ],
    [403, 'forbidden', OpenAI.InternalServerError, 502, 'upstream_credentials_rejected', 1],
    [500, { error: { message: 'oops', type: 'server_error', param: null, code: 'boom' } }, OpenAI.InternalServerError, 502, 'boom', 2],
    [503, '<html>busy</html>', OpenAI.InternalServerError, 502, 'upstream_error', 2],
    [400, { code: 'invalid-argument', error: 'wrong' }, OpenAI.BadRequestError, 400, 'invalid-argument', 1],
    [422, { detail: 'Invalid body' }, OpenAI.UnprocessableEntityError, 422, 'upstream_error', 1],
  ])(
    '%i reaches the official client as its class, with the right retry and one event an attempt',
    async (status, body, ErrorClass, seen, code, attempts) => {
      await using upstream = await startScriptedUpstream((response) => answerJson(response, body, status, { 'retry-after': '0' }));
      await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
      const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 1 });
      const error = await thrownBy(client.chat.completions.create({ model: 'fast', messages }));
      expect(error).toBeInstanceOf(ErrorClass);
      expect([error.status, error.code]).toEqual([seen, code]);
      expect(error.message).not.toContain('sk-abc');
      expect(error.headers?.get('x-turnpike-provider')).toBe('acme');
      expect(error.requestID).toMatch(/^req_/);
      expect(upstream.requests).toHaveLength(attempts);
      await proxy.stop();
      expect(proxy.events.map(({ event }) => [event.outcome, event.status, event.costPico, event.attempts[0]?.status])).toEqual(
        Array.from({ length: attempts }, () => ['failed', seen, '0', status]),
      );
      expect(proxy.events.map(({ event }) => event.sdkRetryCount)).toEqual(attempts === 1 ? [0] : [0, 1]);
    },
  );

  test('in OpenAI form passes to the byte', async () => {
    const body = '{ "error": {"message":"no","type":"t","param":null,"code":"c","extra":1.50} }';
    await using upstream = await startScriptedUpstream((response) => answerJson(response, body, 400));
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    expect(await (await proxy.chat({ model: 'fast', messages })).text()).toBe(body);
  });

  test('keeps its Retry-After, and a 429 without one gets one', async () => {
    await using upstream = await startScriptedUpstream((response) => answerJson(response, {}, 429, { 'retry-after': '17' }));
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    expect((await proxy.chat({ model: 'fast', messages })).headers.get('retry-after')).toBe('17');
    upstream.script = (response) => answerJson(response, {}, 429);
    expect((await proxy.chat({ model: 'fast', messages })).headers.get('retry-after')).toBe('1');
  });

  test('under status 200 is one nevertheless', async () => {
    await using upstream = await startScriptedUpstream((response) =>
      answerJson(response, { error: { code: 429, message: 'slow', type: null } }),
    );
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    const response = await proxy.chat({ model: 'fast', messages });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({ outcome: 'failed', status: 429, costPico: null });
  });

  test('that is no answer of the protocol is a 502, and its cost is unknown', async () => {
    await using upstream = await startScriptedUpstream((response) => answerJson(response, 'it works!'));
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    const response = await proxy.chat({ model: 'fast', messages });
    expect(response.status).toBe(502);
    expect(response.headers.has('x-turnpike-cost-usd')).toBe(false);
    expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({
      outcome: 'failed',
      costPico: null,
      unrated: 'usage_missing',
    });
  });
});

describe('a provider that does not answer', () => {
  test('because nobody listens gives 503 with Retry-After, costs nothing', async () => {
    await using proxy = await startProxy({ providers: { acme: 'http://127.0.0.1:1/v1' }, models: [testModel('acme/fast')] });
    const response = await proxy.chat({ model: 'fast', messages });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await response.json()).toMatchObject({ error: { code: 'upstream_unavailable', type: 'api_error' } });
    expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({
      outcome: 'failed',
      costPico: '0',
      attempts: [{ status: null, outcome: 'failed', errorCode: 'upstream_unavailable' }],
    });
  });

  test('because it is silent gives 504, and its cost is unknown', async () => {
    await using upstream = await startScriptedUpstream(() => {});
    await using proxy = await startProxy({
      providers: { acme: upstream.baseUrl },
      providerOptions: { firstByteTimeoutMs: 100 },
      models: [testModel('acme/fast')],
    });
    const response = await proxy.chat({ model: 'fast', messages });
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ error: { code: 'timeout' } });
    expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({
      outcome: 'failed',
      costPico: null,
      unrated: 'usage_missing',
      attempts: [{ status: null, outcome: 'unknown' }],
    });
  });

  test('because it hangs up gives 502', async () => {
    await using upstream = await startScriptedUpstream((response) => void response.socket?.destroy());
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    const response = await proxy.chat({ model: 'fast', messages });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { code: 'upstream_error' } });
  });

  test('because its connections are all in use is refused at once, never queued', async () => {
    await using upstream = await startScriptedUpstream(() => {});
    await using proxy = await startProxy({
      providers: { acme: upstream.baseUrl },
      providerOptions: { maxConnections: 1, firstByteTimeoutMs: 500 },
      models: [testModel('acme/fast')],
    });
    const [first, second] = await Promise.all([proxy.chat({ model: 'fast', messages }), proxy.chat({ model: 'fast', messages })]);
    expect([first.status, second.status].sort()).toEqual([503, 504]);
    await proxy.stop();
    expect(proxy.events).toHaveLength(2);
  });
});

describe('the credential of the gateway', () => {
  test('goes to its provider only, and the application’s key never does', async () => {
    await using upstream = await startScriptedUpstream();
    await using proxy = await startProxy({
      providers: { acme: upstream.baseUrl },
      providerCredential: { env: 'ACME_KEY' },
      credentials: { ACME_KEY: 'secret-of-acme' },
      models: [testModel('acme/fast')],
    });
    const response = await proxy.chat(
      { model: 'fast', messages },
      { headers: { 'x-api-key': proxy.key, 'x-custom': 'mine', cookie: 'a=b', traceparent: '00-1-2-01', 'openai-organization': 'org' } },
    );
    expect(response.status).toBe(200);
    const headers = upstream.requests[0]?.headers ?? {};
    expect(headers.authorization).toBe('Bearer secret-of-acme');
    expect(Object.keys(headers).sort()).toEqual(
      [
        'accept',
        'accept-encoding',
        'authorization',
        'connection',
        'content-length',
        'content-type',
        'host',
        'traceparent',
        'user-agent',
        'x-request-id',
      ].sort(),
    );
    expect(JSON.stringify(headers)).not.toContain(proxy.key);
  });

  test('that is not there is a 502, told to the operator once', async () => {
    await using upstream = await startScriptedUpstream();
    await using proxy = await startProxy({
      providers: { acme: upstream.baseUrl },
      providerCredential: { env: 'ACME_KEY' },
      models: [testModel('acme/fast')],
    });
    for (let index = 0; index < 3; index++) {
      const response = await proxy.chat({ model: 'fast', messages });
      expect([response.status, response.headers.get('x-should-retry')]).toEqual([502, 'false']);
    }
    expect(upstream.requests).toHaveLength(0);
    expect(proxy.logLines.filter((line) => line.includes('ACME_KEY'))).toHaveLength(1);
  });
});

describe('a model', () => {
  const setup = async () => {
    const upstream = await startScriptedUpstream((response) => answerJson(response, completion()));
    const restricted = testKey({ allowedModels: ['acme/fast', 'beta/*'] });
    const proxy = await startProxy({
      providers: { acme: upstream.baseUrl, beta: upstream.baseUrl },
      models: [testModel('acme/fast'), testModel('acme/big'), testModel('beta/big'), testModel('beta/vendor/deep')],
      keys: [restricted.key],
    });
    return { upstream, proxy, restricted: restricted.secret };
  };

  test('that nobody offers is 404, one the key may not use 403, an ambiguous one 400 with the candidates', async () => {
    const { upstream, proxy, restricted } = await setup();
    await using _upstream = upstream;
    await using _proxy = proxy;
    const ask = async (model: string, key: string): Promise<unknown[]> => {
      const response = await proxy.chat({ model, messages }, { headers: { authorization: `Bearer ${key}` } });
      const body = Object(await response.json());
      return [response.status, body.error?.code ?? body.model, body.error?.param ?? null];
    };
    expect(await ask('no/such', proxy.key)).toEqual([404, 'model_not_found', 'model']);
    expect(await ask('acme/big', restricted)).toEqual([403, 'model_not_allowed', 'model']);
    expect(await ask('big', proxy.key)).toEqual([400, 'model_ambiguous', 'model']);
    expect((await proxy.chat({ model: 'big', messages })).headers.get('x-should-retry')).toBe('false');
    const listed = Object(await (await proxy.chat({ model: 'big', messages })).json());
    expect(listed.error.candidates).toEqual(['acme/big', 'beta/big']);
    // Only one of the two may be used with this key.
    expect(await ask('big', restricted)).toEqual([200, 'upstream-model-2026', null]);
    expect(await ask('vendor/deep', restricted)).toEqual([200, 'upstream-model-2026', null]);
    await proxy.stop();
    expect(proxy.events.map(({ event }) => [event.outcome, event.status, event.costPico, event.attempts.length])).toEqual([
      ['rejected', 404, '0', 0],
      ['rejected', 403, '0', 0],
      ['rejected', 400, '0', 0],
      ['rejected', 400, '0', 0],
      ['rejected', 400, '0', 0],
      ['succeeded', 200, '25000000', 1],
      ['succeeded', 200, '25000000', 1],
    ]);
  });

  test('is listed for who may use it, and found by an id with slashes', async () => {
    const { upstream, proxy, restricted } = await setup();
    await using _upstream = upstream;
    await using _proxy = proxy;
    const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: restricted, maxRetries: 0 });
    const listed = [];
    for await (const model of client.models.list()) listed.push(model.id);
    expect(listed).toEqual(['acme/fast', 'beta/big', 'beta/vendor/deep']);
    expect(await client.models.retrieve('beta/vendor/deep')).toMatchObject({ id: 'beta/vendor/deep', object: 'model', owned_by: 'beta' });
    expect(await thrownBy(client.models.retrieve('acme/big'))).toBeInstanceOf(OpenAI.NotFoundError);
    await proxy.stop();
    expect(proxy.events.map(({ event }) => [event.endpoint, event.outcome, event.costPico])).toEqual([
      ['/v1/models', 'succeeded', '0'],
      ['/v1/models', 'succeeded', '0'],
      ['/v1/models', 'rejected', '0'],
    ]);
  });
});
