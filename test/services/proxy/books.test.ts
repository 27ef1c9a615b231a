import { mkdtemp, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import OpenAI from 'openai';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Spool } from '../../../services/eventlog/spool.ts';
import { eventually } from '../../harness/eventually.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import {
  answerJson,
  answerStream,
  completion,
  DONE,
  openStream,
  plainStream,
  startScriptedUpstream,
  textEvent,
} from '../../harness/scripted-upstream.ts';

const messages = [{ role: 'user' as const, content: 'hello' }];
const body = { model: 'fast', messages };

describe('the settlement', () => {
  test('stands in the spool before the last byte of an answer, whole or streamed', async () => {
    await using upstream = await startScriptedUpstream((response, request) =>
      request.body.includes('"stream":true') ? answerStream(response, plainStream()) : answerJson(response, completion()),
    );
    const waiting: (() => void)[] = [];
    const holdBack = (spool: Spool): Spool => ({
      ...spool,
      orphans: spool.orphans,
      open: (requestId, draft, onWritten) => spool.open(requestId, draft, onWritten),
      close: (requestId, event, onWritten) => {
        spool.close(requestId, event, () => waiting.push(onWritten));
      },
    });
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')], wrapSpool: holdBack });
    let answered = false;
    const whole = proxy.chat(body).then((response) => {
      answered = true;
      return response;
    });
    (await eventually(() => waiting[0])) && expect(answered).toBe(false);
    waiting.shift()?.();
    expect((await whole).status).toBe(200);

    const stream = await proxy.chat({ ...body, stream: true });
    const reader = stream.body?.getReader();
    let text = '';
    while (!text.includes('"stop"')) text += Buffer.from((await reader?.read())?.value ?? []).toString();
    const release = await eventually(() => waiting[0]);
    expect(text).not.toContain('[DONE]');
    release();
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) text += Buffer.from(part.value).toString();
    expect(text.endsWith(DONE)).toBe(true);
  });

  test('is refused room: then no provider is called and the client may try again', async () => {
    await using upstream = await startScriptedUpstream();
    const full = (spool: Spool): Spool => ({ ...spool, orphans: spool.orphans, open: () => false, append: () => false });
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')], wrapSpool: full });
    for (const response of [await proxy.chat(body), await proxy.chat({ model: 'no/such', messages }), await proxy.get('/v1/models')]) {
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toMatch(/^[1-9]/);
      expect(await response.json()).toMatchObject({ error: { code: 'accounting_unavailable' } });
    }
    expect(upstream.requests).toHaveLength(0);
  });

  test('of a request whose proxy died is an orphan: once, with unknown cost', async () => {
    await using upstream = await startScriptedUpstream();
    const home = await mkdtemp(join(tmpdir(), 'tp-proxy-'));
    onTestFinished(() => rm(home, { recursive: true, force: true }));
    const drafts: { requestId: string; draft: string }[] = [];
    const watch = (spool: Spool): Spool => ({
      ...spool,
      orphans: spool.orphans,
      open: (requestId, draft, onWritten) => {
        drafts.push({ requestId, draft });
        return spool.open(requestId, draft, onWritten);
      },
    });
    {
      await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')], wrapSpool: watch });
      await proxy.chat({ ...body, user: 'person-7' }, { headers: { 'x-turnpike-tags': 'job:1' } });
    }
    // A spool as the next boot finds it, with the draft the dead proxy left.
    const orphans = (spool: Spool): Spool => ({ ...spool, orphans: drafts });
    await using next = await startProxy({ providers: {}, models: [], home, wrapSpool: orphans });
    const event = await next.eventOf(drafts[0]?.requestId ?? null);
    expect(event).toMatchObject({
      outcome: 'orphaned',
      status: null,
      usage: null,
      costPico: null,
      unrated: 'orphaned',
      model: 'acme/fast',
      tags: { job: '1' },
      attempts: [{ provider: 'acme', outcome: 'unknown', status: null }],
    });
    expect(next.events).toHaveLength(1);
    expect(next.events[0]?.subject?.endUser).toBe('person-7');
    expect(next.events[0]?.record.headers.ce_source).toContain(`/turnpike/proxy/${event.node}/`);
  });

  test('of an orphan that cannot be read is reported, not invented', async () => {
    await using proxy = await startProxy({
      providers: {},
      models: [],
      wrapSpool: (spool) => ({ ...spool, orphans: [{ requestId: 'req_x', draft: 'junk' }] }),
    });
    expect(proxy.events).toEqual([]);
    expect(proxy.logLines.some((line) => line.includes('req_x'))).toBe(true);
  });
});

describe('a fault of the gateway', () => {
  test('is answered, booked and logged; its words stay in the log', async () => {
    await using upstream = await startScriptedUpstream();
    const broken = (spool: Spool): Spool => ({
      ...spool,
      orphans: spool.orphans,
      open: () => {
        throw new Error('the disk is on fire');
      },
    });
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')], wrapSpool: broken });
    const response = await proxy.chat(body);
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'internal_error' } });
    expect(text).not.toContain('fire');
    const id = response.headers.get('x-request-id');
    expect(await proxy.eventOf(id)).toMatchObject({ outcome: 'failed', status: 500, errorCode: 'internal_error' });
    expect(proxy.logLines.filter((line) => line.includes('on fire') && line.includes(String(id)))).toHaveLength(1);
  });

  test('that keeps its books from being written cuts the connection and is logged', async () => {
    const broken = (spool: Spool): Spool => ({
      ...spool,
      orphans: spool.orphans,
      append: () => {
        throw new Error('the disk is on fire');
      },
    });
    await using proxy = await startProxy({ providers: {}, models: [], wrapSpool: broken });
    await expect(proxy.chat(body)).rejects.toThrow();
    await expect(proxy.get('/v1/models')).rejects.toThrow();
    expect(proxy.logLines.some((line) => line.includes('on fire'))).toBe(true);
  });
});

describe('a stop', () => {
  test('gives up a body that still arrives, and books it', async () => {
    await using proxy = await startProxy({ providers: {}, models: [] });
    const { port, hostname } = new URL(proxy.url);
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.on('data', (part) => {
      answer += part.toString();
    });
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${proxy.key}\r\ncontent-type: application/json\r\n` +
        'content-length: 100\r\nexpect: 100-continue\r\n\r\n',
    );
    // Told to go on, it has been let in.
    await eventually(() => answer.includes('100 Continue'));
    await proxy.stop();
    expect(answer).toMatch(/HTTP\/1\.1 503 [\s\S]*"code":"not_ready"/);
    expect(proxy.events.map(({ event }) => [event.outcome, event.status, event.errorCode])).toEqual([['failed', 503, 'not_ready']]);
  });

  test('lets what is in flight finish, and takes nothing new', async () => {
    let open: ServerResponse | null = null;
    await using upstream = await startScriptedUpstream((response) => {
      open = response;
    });
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    const call = proxy.chat(body);
    const upstreamResponse = await eventually(() => open);
    const stopping = proxy.stop();
    await expect(proxy.chat(body)).rejects.toThrow();
    answerJson(upstreamResponse, completion());
    expect((await call).status).toBe(200);
    await stopping;
    expect(proxy.events.map(({ event }) => event.outcome)).toEqual(['succeeded']);
  });

  test('settles what does not finish in time, and says so to the client', async () => {
    await using upstream = await startScriptedUpstream((response) => {
      openStream(response);
      response.write(textEvent('a'));
    });
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')], stopMs: 100 });
    const response = await proxy.chat({ ...body, stream: true });
    const text = response.text();
    await proxy.stop();
    expect(await text).toMatch(/"code":"not_ready".*\n\n$/);
    expect(proxy.events.map(({ event }) => [event.outcome, event.errorCode, event.costPico])).toEqual([['failed', 'not_ready', null]]);
    expect(proxy.spool.state().open).toBe(0);
  });
});

describe('an answer', () => {
  test('carries LiteLLM’s names with the same values', async () => {
    await using upstream = await startScriptedUpstream();
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    const { headers } = await proxy.chat(body);
    for (const [ours, theirs] of [
      ['x-request-id', 'x-turnpike-call-id'],
      ['x-turnpike-call-id', 'x-litellm-call-id'],
      ['x-turnpike-cost-usd', 'x-litellm-response-cost'],
      ['x-turnpike-model-id', 'x-litellm-model-id'],
      ['x-turnpike-attempted-retries', 'x-litellm-attempted-retries'],
      ['x-turnpike-attempted-fallbacks', 'x-litellm-attempted-fallbacks'],
    ] as const) {
      expect(headers.get(ours)).not.toBeNull();
      expect(headers.get(ours)).toBe(headers.get(theirs));
    }
    expect(Number(headers.get('x-turnpike-overhead-ms'))).toBeGreaterThan(0);
    expect(headers.get('server-timing')).toMatch(/^gateway;dur=[\d.]+, upstream;dur=[\d.]+$/);
    expect(headers.get('x-turnpike-cache')).toBe('bypass');
  });

  test('is compressed for a client that accepts it, and only then', async () => {
    const long = completion({
      choices: [{ index: 0, message: { role: 'assistant', content: 'word '.repeat(20_000) }, finish_reason: 'stop' }],
    });
    await using upstream = await startScriptedUpstream((response) => answerJson(response, long));
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0 });
    const { data, response } = await client.chat.completions.create(body).withResponse();
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(data).toEqual(long);
    for (const accept of ['identity', 'gzip;q=0', 'br']) {
      const plain = await proxy.chat(body, { headers: { 'accept-encoding': accept } });
      expect([accept, plain.headers.get('content-encoding')]).toEqual([accept, null]);
      expect(await plain.json()).toEqual(long);
    }
  });

  test('that a provider compressed unasked is read and passed on plain', async () => {
    const packed = gzipSync(JSON.stringify(completion()));
    await using upstream = await startScriptedUpstream((response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(packed);
    });
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    const response = await proxy.chat(body);
    expect(await response.json()).toEqual(completion());
    expect(response.headers.get('x-turnpike-cost-usd')).toBe('0.000025');
  });

  test('of an unpriced model has no cost, which is not free', async () => {
    await using upstream = await startScriptedUpstream();
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast', { prices: [] })] });
    const response = await proxy.chat(body);
    expect(response.headers.has('x-turnpike-cost-usd')).toBe(false);
    expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({
      costPico: null,
      unrated: 'no_price',
      usage: { input: 10 },
    });
  });

  test('without usage has no cost, and the books say why', async () => {
    await using upstream = await startScriptedUpstream((response) => answerJson(response, completion({ usage: null })));
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    const response = await proxy.chat(body);
    expect(response.status).toBe(200);
    expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({
      outcome: 'succeeded',
      usage: null,
      usageFlags: ['usage_missing'],
      costPico: null,
      unrated: 'usage_missing',
    });
  });

  test('with tools and structured output passes the official client', async () => {
    const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } };
    await using upstream = await startScriptedUpstream((response, request) =>
      answerJson(
        response,
        request.body.includes('response_format')
          ? completion({
              choices: [{ index: 0, message: { role: 'assistant', content: '{"answer":42}', refusal: null }, finish_reason: 'stop' }],
            })
          : completion({
              choices: [{ index: 0, message: { role: 'assistant', content: null, tool_calls: [call] }, finish_reason: 'tool_calls' }],
            }),
      ),
    );
    await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
    const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0 });
    const tools: OpenAI.ChatCompletionTool[] = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
    const called = await client.chat.completions.create({ ...body, tools, tool_choice: 'auto', parallel_tool_calls: false });
    expect(called.choices[0]?.message.tool_calls).toEqual([call]);
    expect(JSON.parse(upstream.requests[0]?.body ?? '')).toMatchObject({ tools, tool_choice: 'auto', parallel_tool_calls: false });
    const schema = { type: 'object', properties: { answer: { type: 'number' } }, required: ['answer'], additionalProperties: false };
    const structured = await client.chat.completions.parse({
      ...body,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } },
    });
    expect(structured.choices[0]?.message.parsed).toEqual({ answer: 42 });
    expect(JSON.parse(upstream.requests[1]?.body ?? '')).toMatchObject({ response_format: { json_schema: { schema } } });
  });
});

test('every figure an operator needs is there, and nothing else is a label', async () => {
  await using upstream = await startScriptedUpstream();
  await using proxy = await startProxy({ providers: { acme: upstream.baseUrl }, models: [testModel('acme/fast')] });
  await proxy.chat(body);
  await proxy.chat(body, { headers: { authorization: 'Bearer nonsense' } });
  for (const name of [
    'proxy_requests_total',
    'proxy_unauthenticated_total',
    'proxy_requests_active',
    'snapshot_age_seconds',
    'spool_open',
    'spool_unsent',
    'spool_bytes',
    'spool_oldest_unsent_seconds',
    'proxy_upstream_calls',
  ]) {
    expect([name, await proxy.metric(name)]).toEqual([name, expect.any(Number)]);
  }
  expect(await proxy.metric('proxy_requests_total')).toBe(1);
  expect(await proxy.metric('proxy_unauthenticated_total')).toBe(1);
});
