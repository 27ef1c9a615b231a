import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { eventually } from '../../harness/eventually.ts';
import { providerRecording } from '../../harness/provider-recordings.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import { answerJson, startScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { serveRecording } from '../../harness/serve-recording.ts';

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

async function startSpeaking() {
  const upstream = await startScriptedUpstream();
  const proxy = await startProxy({ providers: { openai: upstream.baseUrl }, models: [testModel('openai/tts')] });
  return {
    upstream,
    proxy,
    client: new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0 }),
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}
const asked = { model: 'openai/tts', input: 'hello', voice: 'alloy' } as const;

test('recorded speech, cut anywhere, reaches the official client to the byte', async () => {
  await using world = await startSpeaking();
  const recording = providerRecording('openai/audio.speech');
  serveRecording(world.upstream, recording);
  const { data, request_id } = await world.client.audio.speech.create(asked).withResponse();
  expect(data.headers.get('content-type')).toBe('audio/mpeg');
  expect(Buffer.from(await data.arrayBuffer()).equals(recording.bytes)).toBe(true);
  expect(await world.proxy.eventOf(request_id)).toMatchObject({ outcome: 'succeeded', status: 200, unrated: 'usage_missing' });
});

test('sound is heard while it is made, with nothing of ours in it, and is whole when it is in the books', async () => {
  await using world = await startSpeaking();
  let speakOn: () => void = () => {};
  world.upstream.script = (response) => {
    response.writeHead(200, { 'content-type': 'audio/mpeg' });
    response.write('first words');
    speakOn = () => response.end(', last words');
  };
  const response = await world.proxy.post('/v1/audio/speech', asked);
  const chunks: Buffer[] = [];
  let isOver = false;
  const read = (async () => {
    for await (const chunk of response.body ?? []) chunks.push(Buffer.from(chunk));
    isOver = true;
  })();
  const heard = (): string => Buffer.concat(chunks).toString();
  // The last byte that came waits for its entry.
  await eventually(() => heard() === 'first word');
  expect([isOver, world.proxy.events.length]).toEqual([false, 0]);
  speakOn();
  await read;
  expect(heard()).toBe('first words, last words');
  expect(await world.proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({ outcome: 'succeeded' });
});

test('sound that breaks off is never taken for whole, by the client or in the books', async () => {
  await using world = await startSpeaking();
  world.upstream.script = (response) => {
    response.writeHead(200, { 'content-type': 'audio/mpeg' });
    response.write('first words', () => response.destroy());
  };
  const response = await world.proxy.post('/v1/audio/speech', asked);
  await expect(response.arrayBuffer()).rejects.toThrow();
  expect(await world.proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({
    outcome: 'failed',
    errorCode: 'upstream_broken_stream',
    costPico: null,
  });
});

test('an error in the place of sound is one', async () => {
  await using world = await startSpeaking();
  world.upstream.script = (response) => answerJson(response, { error: { message: 'no such voice', type: 'invalid_request_error' } });
  const whole = await world.proxy.post('/v1/audio/speech', asked);
  expect([whole.status, (await whole.json()).error.message]).toEqual([502, 'no such voice']);
});
