import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { priceVersion } from '../../../services/pricing/price-sheet.ts';
import { providerRecording } from '../../harness/provider-recordings.ts';
import type { TestProxy } from '../../harness/proxy.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../harness/scripted-upstream.ts';

const sheet = { standard: { audioSecond: '100000000' } };

let upstream: ScriptedUpstream;
let proxy: TestProxy;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: { openai: upstream.baseUrl, mistral: upstream.baseUrl },
    protocols: { mistral: 'mistral' },
    models: [
      testModel('openai/whisper', { upstreamModel: 'whisper-1', prices: [{ validFrom: 0, priceVersion: priceVersion(sheet), sheet }] }),
      testModel('openai/transcribe'),
      testModel('mistral/voxtral', { prices: [{ validFrom: 0, priceVersion: priceVersion(sheet), sheet }] }),
    ],
  });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

function answer(body: string | Buffer, type: string): void {
  upstream.script = (response) => {
    response.writeHead(200, { 'content-type': type });
    response.end(body);
  };
}
const client = () => new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0 });
const sound = () => toFile(Buffer.from('RIFF sound'), 'speech.wav');

test('a form reaches the provider to the byte but for the name of the model, and is billed by the second', async () => {
  const recording = providerRecording('openai/audio.transcriptions.sync');
  answer(recording.bytes, 'application/json');
  const asked = { file: await sound(), model: 'openai/whisper', language: 'en' };
  const { data, request_id } = await client().audio.transcriptions.create(asked).withResponse();
  expect(data.text).toMatch(/^The sun rises/);
  const { path, headers, body } = upstream.requests.at(-1) ?? { path: '', headers: {}, body: '' };
  const boundary = /boundary=(\S+)/.exec(headers['content-type'] ?? '')?.[1] ?? 'none';
  expect(path).toBe('/v1/audio/transcriptions');
  expect(body.startsWith(`--${boundary}\r\n`)).toBe(true);
  expect(body).toContain('RIFF sound');
  expect(body).toMatch(/name="model"\r\n\r\nwhisper-1\r\n/);
  expect(body).toMatch(/name="language"\r\n\r\nen\r\n/);
  // 7 seconds.
  expect(await proxy.eventOf(request_id)).toMatchObject({
    endpoint: '/v1/audio/transcriptions',
    units: { audioSeconds: 7 },
    usage: null,
    costPico: '700000000',
  });
});

test('a streamed transcript passes to the byte, with the tokens of its sound told apart', async () => {
  const recording = providerRecording('openai/audio.transcriptions.stream');
  answer(recording.bytes, 'text/event-stream; charset=utf-8');
  const asked = { file: await sound(), model: 'openai/transcribe', stream: true } as const;
  const { data: stream, request_id } = await client().audio.transcriptions.create(asked).withResponse();
  const types = [];
  for await (const { type } of stream) types.push(type);
  expect(types.at(-1)).toBe('transcript.text.done');
  const event = await proxy.eventOf(request_id);
  expect(event).toMatchObject({ stream: true, outcome: 'succeeded', usageFlags: [] });
  expect(event.usage?.inputAudio).toBeGreaterThan(0);
});

test('a text that is no JSON passes, and its cost is not known', async () => {
  answer('1\n00:00:00,000 --> 00:00:02,000\nHello\n', 'text/plain; charset=utf-8');
  const asked = { file: await sound(), model: 'openai/whisper', response_format: 'srt' } as const;
  const { response, request_id } = await client().audio.translations.create(asked).withResponse();
  expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(await proxy.eventOf(request_id)).toMatchObject({ endpoint: '/v1/audio/translations', unrated: 'usage_missing' });
  // Whisper says in its longer form how long it listened.
  answer('{"task":"transcribe","duration":2.5,"text":"Hello"}', 'application/json');
  const longer = await client()
    .audio.translations.create({ file: await sound(), model: 'openai/whisper' })
    .withResponse();
  expect(await proxy.eventOf(longer.request_id)).toMatchObject({ units: { audioSeconds: 2.5 }, costPico: '250000000' });
});

test('what is no form, or names no model, is refused', async () => {
  const refusal = async (response: Response) => [response.status, (await response.json()).error.param];
  expect(await refusal(await proxy.post('/v1/audio/transcriptions', { model: 'openai/whisper' }))).toEqual([400, null]);
  const form = new FormData();
  form.set('file', new Blob(['x']), 'x.wav');
  const init = { method: 'POST', headers: { authorization: `Bearer ${proxy.key}` }, body: form };
  expect(await refusal(await fetch(`${proxy.url}/v1/audio/transcriptions`, init))).toEqual([400, 'model']);
  for (const other of ['openai/transcribe', new Blob(['openai/transcribe'])]) {
    form.set('model', 'openai/whisper');
    form.append('model', other);
    expect(await refusal(await fetch(`${proxy.url}/v1/audio/transcriptions`, init))).toEqual([400, 'model']);
  }
});

test('of the seconds and the tokens that Mistral tells, the seconds are billed, whole and streamed', async () => {
  const usage = { prompt_audio_seconds: 12, prompt_tokens: 4, completion_tokens: 35, total_tokens: 39 };
  const billed = { units: { audioSeconds: 12 }, usage: null, rawUsage: JSON.stringify(usage), costPico: '1200000000' };
  answer(JSON.stringify({ model: 'voxtral', text: 'Hello', language: 'en', segments: [], usage }), 'application/json');
  const asked = { file: await sound(), model: 'mistral/voxtral' };
  const { data, request_id } = await client().audio.transcriptions.create(asked).withResponse();
  expect([data.text, upstream.requests.at(-1)?.path]).toEqual(['Hello', '/v1/audio/transcriptions']);
  expect(await proxy.eventOf(request_id)).toMatchObject(billed);

  const delta = 'event: transcription.text.delta\ndata: {"type":"transcription.text.delta","text":"Hello"}\n\n';
  const done = `event: transcription.done\ndata: ${JSON.stringify({ type: 'transcription.done', text: 'Hello', usage })}\n\n`;
  answer(delta + done, 'text/event-stream');
  const streamed = await client()
    .audio.transcriptions.create({ ...asked, stream: true })
    .asResponse();
  expect(await streamed.text()).toBe(delta + done);
  expect(await proxy.eventOf(streamed.headers.get('x-request-id'))).toMatchObject(billed);
});
