import { expect, test } from 'vitest';
import { startProxy, testKey, testModel } from '../../harness/proxy.ts';
import { DONE, openStream, plainStream, startScriptedUpstream, textEvent } from '../../harness/scripted-upstream.ts';

const messages = [{ role: 'user' as const, content: 'hello' }];

test('a request whose key allows it is over by the time it says, answered or streamed, and is booked as one the provider may have worked on', async () => {
  await using upstream = await startScriptedUpstream((response, { body }) => {
    const { user } = JSON.parse(body);
    if (user === 'silent') return;
    openStream(response);
    if (user === 'slow') response.write(textEvent('a'));
    else for (const event of plainStream()) response.write(event);
    if (user === 'good') response.end();
  });
  const own = testKey({ allowedOverrides: ['timeout', 'stream-timeout'] });
  await using proxy = await startProxy({
    providers: { acme: upstream.baseUrl },
    models: [testModel('acme/fast')],
    keys: [own.key],
    limits: { tickMs: 20 },
  });
  const ask = async (user: string, stream: boolean, headers: Record<string, string>) => {
    const startedAt = performance.now();
    const response = await proxy.chat(
      { model: 'fast', messages, user, stream },
      { headers: { authorization: `Bearer ${own.secret}`, ...headers } },
    );
    const text = await response.text();
    const event = await proxy.eventOf(response.headers.get('x-request-id'));
    return { status: response.status, text, event, tookMs: performance.now() - startedAt };
  };
  const [whole, begin, middle, begun] = await Promise.all([
    ask('silent', false, { 'x-turnpike-timeout': '1' }),
    ask('silent', true, { 'x-litellm-stream-timeout': '1' }),
    ask('slow', true, { 'x-litellm-timeout': '1' }),
    ask('good', true, { 'x-turnpike-stream-timeout': '60' }),
  ]);
  for (const late of [whole, begin]) {
    expect([late.status, Object(JSON.parse(late.text)).error.code]).toEqual([504, 'timeout']);
    expect(late.event).toMatchObject({ outcome: 'failed', errorCode: 'timeout', costPico: null, attempts: [{ outcome: 'unknown' }] });
  }
  expect([middle.event.outcome, middle.event.errorCode]).toEqual(['failed', 'timeout']);
  expect(middle.text).toContain('"code":"timeout"');
  expect(middle.text).not.toContain('[DONE]');
  for (const late of [whole, begin, middle]) expect(late.tookMs).toBeGreaterThanOrEqual(1_000);
  expect([begun.status, begun.event.outcome, begun.text.endsWith(DONE)]).toEqual([200, 'succeeded', true]);
});
