import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { priceVersion, sheetFromPerMillion } from '../../../services/pricing/price-sheet.ts';
import { MultipartForm, parseForm } from '../../../services/proxy/body/multipart-form.ts';
import { imageEdits } from '../../../services/proxy/endpoints/image-edits.ts';
import { providerRecording } from '../../harness/provider-recordings.ts';
import type { TestProxy } from '../../harness/proxy.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { answerJson, startScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { serveRecording } from '../../harness/serve-recording.ts';

const sheet = sheetFromPerMillion({ input: '5', output: '10', outputImage: '40' });
let upstream: ScriptedUpstream;
let proxy: TestProxy;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: { openai: upstream.baseUrl },
    models: [
      testModel('openai/gpt-image', {
        upstreamModel: 'gpt-image-1.5',
        prices: [{ validFrom: 0, priceVersion: priceVersion(sheet), sheet }],
      }),
    ],
  });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});
const client = () => new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0 });
const picture = (name: string) => toFile(Buffer.from(`PNG ${name}`), `${name}.png`, { type: 'image/png' });
// Of the recorded picture the first 30 kB: it is 690 kB long.
const recording = providerRecording('openai/images.edits');

test('a form of several pictures and a mask reaches the provider to the byte but for the model, and is billed by its tokens', async () => {
  serveRecording(upstream, recording);
  const image = [await picture('one'), await picture('two')];
  const asked = { model: 'openai/gpt-image', image, mask: await picture('mask'), prompt: 'greener', n: 1 };
  const { data, request_id } = await client().images.edit(asked).withResponse();
  expect(data).toMatchObject(JSON.parse(recording.bytes.toString()));
  const { path, headers, body } = upstream.requests.at(-1) ?? { path: '', headers: {}, body: '' };
  expect([path, headers.accept]).toEqual(['/v1/images/edits', '*/*']);
  expect(body.match(/PNG (?:one|two|mask)\r\n/g)).toHaveLength(3);
  expect(body).toMatch(/name="model"\r\n\r\ngpt-image-1.5\r\n/);
  // 27 and 194 at 5, 143 at 10 and 272 at 40 USD a million.
  expect(await proxy.eventOf(request_id)).toMatchObject({
    endpoint: '/v1/images/edits',
    outcome: 'succeeded',
    usage: { input: 27, inputImage: 194, output: 143, outputImage: 272 },
    costPico: '13415000000',
  });
});

test('the recorded request, which is JSON, passes to the byte and so does its answer', async () => {
  serveRecording(upstream, recording);
  const response = await proxy.post('/v1/images/edits', { ...recording.request, model: 'openai/gpt-image' });
  expect(await response.text()).toBe(recording.bytes.toString());
  expect(JSON.parse(upstream.requests.at(-1)?.body ?? '')).toEqual(recording.request);
  expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({ costPico: '13415000000' });
});

test('what is shown on the way passes event by event, and one that breaks off is none', async () => {
  const event = (type: string, fields: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const partial = event('image_edit.partial_image', { b64_json: 'aGk=', partial_image_index: 0 });
  const usage = { input_tokens: 20, output_tokens: 300, total_tokens: 320, output_tokens_details: { image_tokens: 300, text_tokens: 0 } };
  const completed = event('image_edit.completed', { b64_json: 'aGk=', usage });
  const stream = (events: string): void => {
    upstream.script = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(events);
    };
  };
  const ask = async () => {
    const asked = { model: 'openai/gpt-image', image: await picture('one'), prompt: 'greener', stream: true, partial_images: 1 } as const;
    return client().images.edit(asked).withResponse();
  };
  stream(partial + completed);
  const whole = await ask();
  const types = [];
  for await (const { type } of whole.data) types.push(type);
  expect(types).toEqual(['image_edit.partial_image', 'image_edit.completed']);
  expect(await proxy.eventOf(whole.request_id)).toMatchObject({ stream: true, outcome: 'succeeded', usage: { outputImage: 300 } });
  stream(partial);
  const broken = await ask();
  const read = async (): Promise<void> => {
    for await (const { type } of broken.data) expect(type).toBe('image_edit.partial_image');
  };
  await expect(read()).rejects.toThrow();
  expect(await proxy.eventOf(broken.request_id)).toMatchObject({ outcome: 'failed', errorCode: 'upstream_broken_stream' });
});

describe('it is bounded', () => {
  const partOf = (head: string, text: string): string => `--b\r\ncontent-disposition: form-data; ${head}\r\n\r\n${text}\r\n`;
  const boundOf = (...parts: readonly string[]) => {
    const bytes = Buffer.from(`${partOf('name="model"', 'm')}${parts.join('')}--b--\r\n`);
    const form = parseForm(bytes, 'b');
    expect(form).toBeInstanceOf(MultipartForm);
    return imageEdits.bound(imageEdits.parse(form, ''), bytes, { contextWindow: null, maxOutputTokens: null }, null);
  };
  const file = partOf('name="image[]"; filename="a.png"', 'x'.repeat(1_000_000));

  test('by its pictures, not by their bytes, and by the most of the numbers that it names', () => {
    const one = boundOf(file);
    expect(one).toMatchObject({ output: 32_768, images: 1 });
    expect(one.input).toBeLessThan(65_536 + 2_000);
    expect(boundOf(file, file, partOf('name="image"', 'no file')).input).toBeGreaterThan(3 * 65_536);
    expect(boundOf(file, partOf('name="n"', '2'), partOf('name="n"', '4'))).toMatchObject({ output: 4 * 32_768, images: 4 });
  });

  test('in JSON by the same', () => {
    const request = {
      model: 'm',
      images: [{ image_url: `data:image/png;base64,${'A'.repeat(1_000_000)}` }, { file_id: 'file-1' }],
      mask: { file_id: 'file-2' },
    };
    const bytes = Buffer.from(JSON.stringify({ ...request, prompt: 'p', n: 3 }));
    const bound = imageEdits.bound(
      imageEdits.parse(JSON.parse(bytes.toString()), ''),
      bytes,
      { contextWindow: null, maxOutputTokens: null },
      null,
    );
    expect(bound).toMatchObject({ output: 3 * 32_768, images: 3 });
    expect([bound.input > 3 * 65_536, bound.input < 3 * 65_536 + 2_000]).toEqual([true, true]);
  });

  test.each(['0.5', 'many', '129', ''])('and a number of pictures that is none is refused: %j', (n) => {
    if (n === '') expect(boundOf(file, partOf('name="n"', n))).toMatchObject({ images: 1 });
    else expect(() => boundOf(file, partOf('name="n"', n))).toThrow("Invalid 'n'");
  });
});

test('variations are refused, and the refusal says what there is instead', async () => {
  upstream.script = (response) => answerJson(response, {}, 500);
  const refusal = await proxy.post('/v1/images/variations', {});
  expect([refusal.status, (await refusal.json()).error.message]).toEqual([404, expect.stringContaining('POST /v1/images/edits')]);
});
