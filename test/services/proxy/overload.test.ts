import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import OpenAI from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import type { ShedReason } from '../../../services/proxy/admission/overload.ts';
import { eventually } from '../../harness/eventually.ts';
import type { TestProxy } from '../../harness/proxy.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import {
  answerJson,
  completion,
  DONE,
  openStream,
  plainStream,
  startScriptedUpstream,
  textEvent,
} from '../../harness/scripted-upstream.ts';

const body = { model: 'acme/fast', messages: [{ role: 'user', content: 'hello' }] };

async function setup(limits: Parameters<typeof startProxy>[0]['limits'], script?: ScriptedUpstream['script']) {
  const upstream = await startScriptedUpstream(script);
  const proxy = await startProxy({
    providers: { acme: upstream.baseUrl },
    models: [testModel('acme/fast')],
    ...(limits ? { limits } : {}),
  });
  onTestFinished(async () => {
    await proxy[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });
  return { upstream, proxy };
}

/** A connection that has sent the head of a chat completion, and what it has heard so far. */
async function beginBody(proxy: TestProxy, contentLength: number): Promise<{ readonly socket: Socket; readonly heard: () => string }> {
  const { hostname, port } = new URL(proxy.url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  onTestFinished(() => {
    socket.destroy();
  });
  socket.on('error', () => {});
  let heard = '';
  socket.on('data', (part) => {
    heard += part.toString('latin1');
  });
  await once(socket, 'connect');
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${proxy.key}\r\ncontent-type: application/json\r\n` +
      `content-length: ${contentLength}\r\n\r\n`,
  );
  return { socket, heard: () => heard };
}

/** What the proxy says it refused as overloaded. */
async function shed(proxy: TestProxy, reason: ShedReason): Promise<number> {
  const text = await (await fetch(`${proxy.url}/metrics`)).text();
  const line = text
    .split('\n')
    .find((candidate) => candidate.startsWith('turnpike_proxy_shed_total{') && candidate.includes(`"${reason}"`));
  return Number(line?.slice(line.lastIndexOf(' ')));
}

/** A valid request of about this many bytes. */
const largeBody = (bytes: number): string => JSON.stringify({ ...body, messages: [{ role: 'user', content: 'x'.repeat(bytes) }] });

test('beyond the bound on requests one is refused with 503 and Retry-After before its body is sent, and makes neither call nor event', async () => {
  const waiting: ServerResponse[] = [];
  const { upstream, proxy } = await setup({ maxRequests: 3 }, (response) => {
    waiting.push(response);
  });
  const admitted = [proxy.chat(body), proxy.chat(body), proxy.chat(body)];
  await eventually(() => waiting.length === 3);

  const large = await beginBody(proxy, 1_000_000);
  await eventually(() => large.heard().includes('}'));
  expect(large.heard()).toMatch(/^HTTP\/1\.1 503 /);
  expect(large.heard()).toMatch(/retry-after: 1\r\n/i);
  expect(large.heard()).toMatch(/connection: close\r\n/i);
  expect(large.heard()).toContain('"code":"overloaded"');
  const small = await proxy.chat(body);
  expect([small.status, small.headers.get('retry-after'), small.headers.get('connection')]).toEqual([503, '1', 'keep-alive']);
  expect((await proxy.get('/healthz')).status).toBe(200);
  expect(await shed(proxy, 'requests')).toBe(2);

  for (const response of waiting) answerJson(response, completion());
  expect((await Promise.all(admitted)).map(({ status }) => status)).toEqual([200, 200, 200]);
  upstream.script = (response) => answerJson(response, completion());
  await eventually(async () => (await proxy.chat(body)).status === 200);
  await eventually(() => proxy.events.length === upstream.requests.length);
  expect(proxy.events.map(({ event }) => event.outcome)).toEqual(upstream.requests.map(() => 'succeeded'));
});

test('at three times what it takes, it serves its share, each exactly once in the books, and is itself again when the load leaves', async () => {
  const { upstream, proxy } = await setup({ maxRequests: 4 }, (response) => void setTimeout(() => answerJson(response, completion()), 20));
  const timed = async (): Promise<number> => {
    const startedAt = performance.now();
    expect((await proxy.chat(body)).status).toBe(200);
    return performance.now() - startedAt;
  };
  const quietMs = Math.max(await timed(), await timed(), await timed());
  const statuses = new Map<number, number>();
  let loaded = true;
  const clients = Array.from({ length: 12 }, async () => {
    while (loaded) {
      const response = await proxy.chat(body);
      await response.arrayBuffer();
      if (response.status === 503) expect(response.headers.get('retry-after')).toBe('1');
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    }
  });
  await eventually(() => (statuses.get(200) ?? 0) >= 60 && (statuses.get(503) ?? 0) >= 60);
  loaded = false;
  await Promise.all(clients);
  expect([...statuses.keys()].sort()).toEqual([200, 503]);
  await eventually(async () => (await timed()) < 2 * quietMs + 50, 5_000);

  await eventually(() => proxy.events.length === upstream.requests.length);
  expect(new Set(proxy.events.map(({ event }) => event.requestId)).size).toBe(proxy.events.length);
  for (const { event } of proxy.events) expect([event.outcome, event.costPico]).toEqual(['succeeded', '25000000']);
});

test('the official client gets through an overload with its default retries', async () => {
  const waiting: ServerResponse[] = [];
  const { upstream, proxy } = await setup({ maxRequests: 1 }, (response) => {
    waiting.push(response);
  });
  const first = proxy.chat(body);
  await eventually(() => waiting.length === 1);
  const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key });
  const second = client.chat.completions.create({ model: 'acme/fast', messages: [{ role: 'user', content: 'hello' }] });
  second.catch(() => {});
  await eventually(async () => (await shed(proxy, 'requests')) === 1);
  upstream.script = (response) => answerJson(response, completion());
  for (const response of waiting) answerJson(response, completion());
  expect((await first).status).toBe(200);
  expect((await second).choices[0]?.message.content).toBe('Hello');
});

test('at the bound on bytes the body that passes it is refused, the others go on, and everything held is let go', async () => {
  const { proxy } = await setup({ maxHeldBytes: 1_000_000 });
  const text = largeBody(700_000);
  const first = await beginBody(proxy, text.length);
  first.socket.write(text.slice(0, 600_000));
  await eventually(async () => (await proxy.metric('proxy_held_bytes')) === 600_000);
  const second = await beginBody(proxy, text.length);
  second.socket.write(text.slice(0, 600_000));
  await eventually(() => second.heard().includes('"code":"overloaded"'));
  expect(second.heard()).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: 1\r\n/i);
  await eventually(async () => (await proxy.metric('proxy_held_bytes')) === 600_000);
  first.socket.write(text.slice(600_000));
  await eventually(() => first.heard().includes('"Hello"'));
  await eventually(async () => (await proxy.metric('proxy_held_bytes')) === 0);
  await eventually(() => proxy.events.length === 2);
  // The one that was refused had been let in: it is in the books as what it was.
  expect(proxy.events.map(({ event }) => [event.outcome, event.status, event.errorCode])).toEqual([
    ['failed', 503, 'overloaded'],
    ['succeeded', 200, null],
  ]);
});

test('a whole answer counts until the application took it, and while it fills the bound nobody is let in', async () => {
  const text = 'y'.repeat(8_000_000);
  const { proxy } = await setup({ maxHeldBytes: 6_000_000 }, (response) =>
    answerJson(response, completion({ choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }] })),
  );
  const request = JSON.stringify(body);
  const slow = await beginBody(proxy, request.length);
  slow.socket.pause();
  slow.socket.write(request);
  await eventually(() => proxy.events.length === 1);
  expect((await proxy.chat(body)).status).toBe(503);
  expect(await shed(proxy, 'bytes')).toBe(1);
  slow.socket.resume();
  await eventually(() => slow.heard().length > text.length);
  await eventually(async () => (await proxy.metric('proxy_held_bytes')) === 0);
});

test('an event loop that is late again and again refuses a part of what comes, and takes all again when it is not', async () => {
  const { proxy } = await setup({ maxLoopDelayMs: 200 });
  for (let pause = 0; pause < 5; pause += 1) {
    // Nothing else of this process runs meanwhile, and so neither does the proxy's timer.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 800);
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  }
  const answers = await Promise.all(Array.from({ length: 20 }, () => proxy.chat(body)));
  const refused = answers.filter(({ status }) => status === 503).length;
  // How many, the machine decides: the share falls with each look while they come in.
  expect(refused).toBeGreaterThanOrEqual(1);
  expect(refused).toBeLessThan(20);
  expect(await shed(proxy, 'event_loop')).toBe(refused);
  await eventually(async () => {
    const again = await Promise.all(Array.from({ length: 10 }, () => proxy.chat(body)));
    return again.every(({ status }) => status === 200);
  });
});

test('bodies that come a byte at a time hold up nobody, and are ended at their deadline', async () => {
  const { proxy } = await setup({ body: { maxBytes: 1_000_000, timeoutMs: 3_000 } });
  const text = JSON.stringify(body);
  const senders = await Promise.all(Array.from({ length: 50 }, () => beginBody(proxy, text.length)));
  const drip = setInterval(() => {
    for (const { socket } of senders) if (socket.writable) socket.write(' ');
  }, 100);
  onTestFinished(() => clearInterval(drip));
  expect((await Promise.all(Array.from({ length: 20 }, () => proxy.chat(body)))).every(({ status }) => status === 200)).toBe(true);
  await eventually(() => senders.every(({ heard }) => heard().startsWith('HTTP/1.1 408 ')));
  await eventually(() => proxy.events.filter(({ event }) => event.errorCode === 'request_timeout').length === senders.length);
  expect(await proxy.metric('proxy_held_bytes')).toBe(0);
});

test('a provider that trickles byte by byte is passed on whole and booked exactly, and others are served meanwhile', async () => {
  const { upstream, proxy } = await setup({}, async (response) => {
    openStream(response);
    for (const byte of Buffer.from(plainStream().join('').slice(0, -DONE.length))) {
      response.write(Buffer.of(byte));
      await new Promise<void>((resolve) => setTimeout(resolve, 1));
    }
    response.end(DONE);
  });
  const trickled = proxy.chat({ ...body, stream: true }).then((response) => response.text());
  await eventually(() => upstream.requests.length === 1);
  upstream.script = (response) => answerJson(response, completion());
  expect((await Promise.all(Array.from({ length: 20 }, () => proxy.chat(body)))).every(({ status }) => status === 200)).toBe(true);
  expect(await trickled).toMatch(/Hel[\s\S]*lo[\s\S]*\[DONE\]/);
  const { event } = await eventually(() => proxy.events.find(({ event: { stream } }) => stream));
  expect([event.outcome, event.usage?.input, event.usage?.output]).toEqual(['succeeded', 10, 2]);
});

test('readers that take nothing of their streams hold back the provider instead of filling memory', async () => {
  const eventBytes = 64 * 1024;
  const events = 400;
  const written: number[] = [];
  const { proxy } = await setup({}, async (response) => {
    openStream(response);
    const index = written.push(0) - 1;
    for (let event = 0; event < events && !response.destroyed; event += 1) {
      if (!response.write(textEvent('z'.repeat(eventBytes)))) await once(response, 'drain').catch(() => {});
      written[index] = event + 1;
    }
    response.end(DONE);
  });
  const request = JSON.stringify({ ...body, stream: true });
  const readers = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const reader = await beginBody(proxy, request.length);
      reader.socket.pause();
      reader.socket.write(request);
      return reader;
    }),
  );
  await eventually(() => written.length === readers.length && written.every((count) => count > 0));
  // As others are served, what was written stands still: what a stream takes up is the system's buffers and a piece in the proxy.
  let before = -1;
  await eventually(async () => {
    const sum = written.reduce((total, count) => total + count, 0);
    const stands = sum === before;
    before = sum;
    await Promise.all(Array.from({ length: 5 }, () => proxy.get('/healthz')));
    return stands;
  });
  expect(Math.max(...written)).toBeLessThan(events / 2);
  for (const { socket } of readers) socket.destroy();
});
