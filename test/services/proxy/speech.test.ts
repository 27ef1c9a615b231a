import { expect, test } from 'vitest';
import { startProxy, testModel } from '../../harness/proxy.ts';
import { startScriptedUpstream } from '../../harness/scripted-upstream.ts';

test('speech passes to the byte in its own type, and what it cost is not known, which is not 0', async () => {
  await using upstream = await startScriptedUpstream();
  await using proxy = await startProxy({ providers: { openai: upstream.baseUrl }, models: [testModel('openai/tts')] });
  const sound = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7) % 256));
  upstream.script = (response) => {
    response.writeHead(200, { 'content-type': 'audio/mpeg' });
    response.end(sound);
  };
  const speak = (fields: object = {}) => proxy.post('/v1/audio/speech', { model: 'openai/tts', input: 'hello', voice: 'alloy', ...fields });
  const response = await speak();
  expect(Buffer.from(await response.arrayBuffer()).equals(sound)).toBe(true);
  expect([response.headers.get('content-type'), response.headers.get('content-encoding')]).toEqual(['audio/mpeg', null]);
  expect(upstream.requests.at(-1)?.headers.accept).toBe('*/*');
  expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({
    endpoint: '/v1/audio/speech',
    outcome: 'succeeded',
    usage: null,
    usageFlags: ['usage_missing'],
    unrated: 'usage_missing',
  });

  // As events it says what it used.
  const usage = { input_tokens: 14, output_tokens: 101, total_tokens: 115 };
  const events = [
    { type: 'speech.audio.delta', audio: 'aGk=' },
    { type: 'speech.audio.done', usage },
  ].map((event) => `data: ${JSON.stringify(event)}\n\n`);
  upstream.script = (answer) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.end(events.join(''));
  };
  const streamed = await speak({ stream_format: 'sse' });
  expect(await streamed.text()).toBe(events.join(''));
  expect(await proxy.eventOf(streamed.headers.get('x-request-id'))).toMatchObject({ stream: true, usage: { input: 14, output: 101 } });
});
