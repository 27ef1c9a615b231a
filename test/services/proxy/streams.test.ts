import type { ServerResponse } from 'node:http';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../harness/eventually.ts';
import type { TestProxyOptions } from '../../harness/proxy.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import {
  answerJson,
  answerStream,
  chunkEvent,
  DONE,
  openStream,
  plainStream,
  startScriptedUpstream,
  textEvent,
  usageEvent,
} from '../../harness/scripted-upstream.ts';

const messages = [{ role: 'user' as const, content: 'hello' }];
const body = { model: 'fast', messages, stream: true };
const asking = { ...body, stream_options: { include_usage: true } };

const setup = async (script: (response: ServerResponse) => void, options: Partial<TestProxyOptions> = {}) => {
  const upstream = await startScriptedUpstream(script);
  const proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')], ...options });
  return {
    upstream,
    proxy,
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
};

describe('a stream', () => {
  test('has the headers that keep proxies from buffering it, and no cost', async () => {
    await using at = await setup((response) => answerStream(response, plainStream()));
    const response = await at.proxy.chat(asking);
    expect(await response.text()).toBe(plainStream().join(''));
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(response.headers.has('x-turnpike-cost-usd')).toBe(false);
    expect(response.headers.has('x-litellm-response-cost')).toBe(false);
    expect(response.headers.get('x-turnpike-model')).toBe('acme/fast');
  });

  test('is timed: its first byte, its end and the share of the proxy', async () => {
    await using at = await setup((response) => answerStream(response, plainStream()));
    await (await at.proxy.chat(asking)).text();
    const timed = async (name: string) => at.proxy.metric(`proxy_${name}_seconds_count`);
    await eventually(async () => (await timed('request')) === 1);
    expect(await timed('first_byte')).toBe(1);
    expect(await timed('overhead')).toBe(1);
  });

  test('brings each event when it comes', async () => {
    let upstreamResponse: ServerResponse | null = null;
    await using at = await setup((response) => {
      openStream(response);
      response.write(textEvent('first'));
      upstreamResponse = response;
    });
    const response = await at.proxy.chat(body);
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe(textEvent('first'));
    const half = textEvent('second');
    const open = await eventually(() => upstreamResponse);
    open.write(half.slice(0, 20));
    open.write(half.slice(20));
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe(half);
    open.end(textEvent('', 'stop') + DONE);
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toContain('"stop"');
  });

  test('is kept alive while the provider is silent, between events only', async () => {
    let upstreamResponse: ServerResponse | null = null;
    await using at = await setup(
      (response) => {
        openStream(response);
        response.write(`${textEvent('a')}data: {"half`);
        upstreamResponse = response;
      },
      { limits: { keepAliveMs: 40 } },
    );
    const response = await at.proxy.chat(body);
    const reader = response.body?.getReader();
    let text = '';
    while (!text.includes(': keep-alive\n\n: keep-alive\n\n')) text += Buffer.from((await reader?.read())?.value ?? []).toString();
    expect(text.startsWith(`${textEvent('a')}: keep-alive\n\n`)).toBe(true);
    (await eventually(() => upstreamResponse)).end(`":1}\n\n${textEvent('', 'stop')}${DONE}`);
    let rest = '';
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) rest += Buffer.from(part.value).toString();
    expect(rest.replaceAll(': keep-alive\n\n', '')).toBe(`data: {"half":1}\n\n${textEvent('', 'stop')}${DONE}`);
  });

  test('goes on after a JSON answer where a stream was asked for', async () => {
    await using at = await setup((response) =>
      answerJson(response, { ok: true, choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } }),
    );
    const response = await at.proxy.chat(body);
    expect(await response.json()).toMatchObject({ ok: true });
    expect(response.headers.get('x-turnpike-cost-usd')).toBe('0.0000035');
  });

  test('does not pile up in memory when the client reads slowly', async () => {
    const event = textEvent('x'.repeat(64 * 1024));
    const total = 400;
    let sent = 0;
    await using at = await setup((response) => {
      openStream(response);
      const more = (): void => {
        while (sent < total) {
          sent += 1;
          if (!response.write(event)) {
            response.once('drain', more);
            return;
          }
        }
        response.end(textEvent('', 'stop') + usageEvent(1, 1) + DONE);
      };
      more();
    });
    const response = await at.proxy.chat(body);
    const reader = response.body?.getReader();
    let bytes = (await reader?.read())?.value?.length ?? 0;
    // It stands still long before everything was sent.
    let before = -1;
    await eventually(async () => {
      const stands = before === sent;
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return stands && sent < total;
    });
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) bytes += part.value.length;
    expect(bytes).toBe(event.length * total + textEvent('', 'stop').length + DONE.length);
    expect((await at.proxy.eventOf(response.headers.get('x-request-id'))).outcome).toBe('succeeded');
  });
});

describe('a stream that fails', () => {
  test('before its first event is an HTTP error', async () => {
    await using at = await setup((response) => {
      openStream(response);
      response.write(': comment\n\n');
      response.end();
    });
    const response = await at.proxy.chat(body);
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { code: 'upstream_broken_stream' } });
    expect(await at.proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({ outcome: 'failed', status: 502, costPico: null });
  });

  test('with an error as its first event is an HTTP error with that status', async () => {
    await using at = await setup((response) =>
      answerStream(response, ['data: {"error":{"code":429,"message":"slow down","type":"rate"}}\n\n', DONE]),
    );
    const response = await at.proxy.chat(body);
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await response.json()).toMatchObject({ error: { message: 'slow down', code: '429' } });
    expect(await at.proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({ outcome: 'failed', status: 429 });
  });

  test.each([
    ['ends without a finish reason', (response: ServerResponse) => answerStream(response, [textEvent('a'), textEvent('b')])],
    [
      'is cut',
      (response: ServerResponse) => {
        openStream(response);
        response.write(textEvent('a') + textEvent('b'), () => response.socket?.destroy());
      },
    ],
  ])('because it %s never looks complete', async (_name, script) => {
    await using at = await setup(script);
    const response = await at.proxy.chat(body);
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).not.toContain('[DONE]');
    const [first, second, error, ...rest] = text.trimEnd().split('\n\n');
    expect([first, second]).toEqual([textEvent('a').trimEnd(), textEvent('b').trimEnd()]);
    expect(JSON.parse(error?.slice(6) ?? '')).toMatchObject({ error: { code: 'upstream_broken_stream', type: 'api_error' } });
    expect(rest).toEqual([]);
    expect(await at.proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({
      outcome: 'failed',
      status: 200,
      errorCode: 'upstream_broken_stream',
      costPico: null,
      unrated: 'usage_missing',
    });
    const client = new OpenAI({ baseURL: at.proxy.baseUrl, apiKey: at.proxy.key, maxRetries: 0 });
    const stream = await client.chat.completions.create({ ...body, stream: true });
    await expect(
      (async () => {
        for await (const chunk of stream) expect(chunk.choices).toBeDefined();
      })(),
    ).rejects.toBeInstanceOf(OpenAI.APIError);
  });

  test('because it stalls ends with a timeout event', async () => {
    await using at = await setup(
      (response) => {
        openStream(response);
        response.write(textEvent('a'));
      },
      { providerOptions: { idleTimeoutMs: 150 } },
    );
    const text = await (await at.proxy.chat(body)).text();
    expect(text).toContain('"code":"timeout"');
    expect(text).not.toContain('[DONE]');
  });

  test('by an error event passes it on and ends there', async () => {
    const error = 'event: error\ndata: {"error":{"message":"x","type":"t","code":"tool_use_failed"}}\n\n';
    await using at = await setup((response) => answerStream(response, [textEvent('a'), error, textEvent('b'), DONE]));
    const response = await at.proxy.chat(body);
    expect(await response.text()).toBe(textEvent('a') + error);
    expect(await at.proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({ outcome: 'failed', errorCode: 'tool_use_failed' });
  });

  test('after its last finish reason is whole', async () => {
    await using at = await setup((response) => {
      openStream(response);
      response.write(textEvent('a', 'stop') + usageEvent(10, 1), () => response.socket?.destroy());
    });
    const response = await at.proxy.chat(body);
    expect(await response.text()).toBe(textEvent('a', 'stop') + DONE);
    expect(await at.proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({ outcome: 'succeeded', costPico: '17000000' });
  });
});

describe('a client that leaves', () => {
  const leaveAfterFirstEvent = async (at: Awaited<ReturnType<typeof setup>>): Promise<string | null> => {
    const leaving = new AbortController();
    const response = await at.proxy.chat(body, { signal: leaving.signal });
    await response.body?.getReader().read();
    leaving.abort();
    return response.headers.get('x-request-id');
  };

  test('is charged what the provider says, because the stream is read to its usage', async () => {
    let open: ServerResponse | null = null;
    await using at = await setup((response) => {
      openStream(response);
      response.write(textEvent('a'));
      open = response;
    });
    const requestId = await leaveAfterFirstEvent(at);
    const upstreamResponse = await eventually(() => open);
    await eventually(async () => (await at.proxy.metric('proxy_requests_draining')) === 1);
    upstreamResponse.end(textEvent('', 'stop') + usageEvent(10, 7) + DONE);
    expect(await at.proxy.eventOf(requestId)).toMatchObject({
      outcome: 'cancelled',
      errorCode: 'client_closed_request',
      usage: { input: 10, output: 7 },
      costPico: '29000000',
      attempts: [{ outcome: 'succeeded', status: 200 }],
    });
  });

  test.each([
    ['by time', { drainMaxMs: 80 }, {}],
    ['by bytes', { drainMaxBytes: 500 }, {}],
    ['by policy', {}, { onClientGone: 'abort' as const }],
  ])('is waited for only so long: bounded %s', async (_name, limits, providerOptions) => {
    let open: ServerResponse | null = null;
    let timer: NodeJS.Timeout | undefined;
    await using at = await setup(
      (response) => {
        openStream(response);
        response.write(textEvent('a'));
        open = response;
        timer = setInterval(() => response.write(textEvent('b')), 10);
        response.on('close', () => clearInterval(timer));
      },
      { limits, providerOptions },
    );
    const requestId = await leaveAfterFirstEvent(at);
    expect(await at.proxy.eventOf(requestId)).toMatchObject({
      outcome: 'cancelled',
      status: 200,
      usage: null,
      usageFlags: ['usage_missing'],
      costPico: null,
      unrated: 'usage_missing',
      attempts: [{ outcome: 'cancelled' }],
    });
    await eventually(() => open?.destroyed === true);
    expect(at.proxy.spool.state().open).toBe(0);
  });

  test('before a whole answer came is booked with 499 and what it cost', async () => {
    let open: ServerResponse | null = null;
    await using at = await setup((response) => {
      open = response;
    });
    const leaving = new AbortController();
    const call = at.proxy.chat({ model: 'fast', messages }, { signal: leaving.signal }).catch(() => null);
    const upstreamResponse = await eventually(() => open);
    leaving.abort();
    await call;
    await eventually(async () => (await at.proxy.metric('proxy_requests_draining')) === 1);
    answerJson(upstreamResponse, { choices: [], usage: { prompt_tokens: 4, completion_tokens: 1 } });
    const { event } = await eventually(() => at.proxy.events[0]);
    expect(event).toMatchObject({ outcome: 'cancelled', status: 499, costPico: '8000000', attempts: [{ outcome: 'succeeded' }] });
  });

  test('while it takes no byte is given up after a while', async () => {
    const event = chunkEvent({ choices: [{ index: 0, delta: { content: 'x'.repeat(256 * 1024) } }] });
    let closed = false;
    await using at = await setup(
      (response) => {
        openStream(response);
        response.on('close', () => {
          closed = true;
        });
        const timer = setInterval(() => response.write(event), 1);
        response.on('close', () => clearInterval(timer));
      },
      { limits: { clientStallMs: 100, drainMaxBytes: 1 } },
    );
    const response = await at.proxy.chat(body);
    await response.body?.getReader().read();
    await eventually(() => closed);
    expect(await at.proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({ outcome: 'cancelled' });
  });
});
