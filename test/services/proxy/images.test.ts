import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PriceSheet } from '../../../services/pricing/price-sheet.ts';
import { priceVersion, sheetFromPerMillion } from '../../../services/pricing/price-sheet.ts';
import { providerRecording } from '../../harness/provider-recordings.ts';
import type { TestProxy } from '../../harness/proxy.ts';
import { startProxy, testModel } from '../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../harness/scripted-upstream.ts';

const priced = (sheet: PriceSheet) => ({ prices: [{ validFrom: 0, priceVersion: priceVersion(sheet), sheet }] });

let upstream: ScriptedUpstream;
let proxy: TestProxy;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: { openai: upstream.baseUrl },
    models: [
      testModel('openai/gpt-image', priced(sheetFromPerMillion({ input: '5', output: '40', outputImage: '50' }))),
      testModel('openai/dall-e', priced({ standard: { image: '40000000000' } })),
      testModel('openai/unpriced', { prices: [] }),
    ],
  });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

function answer(body: string | Buffer, type = 'application/json'): void {
  upstream.script = (response) => {
    response.writeHead(200, { 'content-type': type });
    response.end(body);
  };
}
const draw = (fields: object) => proxy.post('/v1/images/generations', { prompt: 'a cat', ...fields });
const eventOf = (response: Response) => proxy.eventOf(response.headers.get('x-request-id'));

const usage = {
  input_tokens: 20,
  input_tokens_details: { image_tokens: 0, text_tokens: 20 },
  output_tokens: 300,
  output_tokens_details: { image_tokens: 272, text_tokens: 28 },
  total_tokens: 320,
};

describe('a picture', () => {
  test('of a model that tells its tokens is billed by them', async () => {
    const body = JSON.stringify({ created: 1, data: [{ b64_json: 'aGk=' }], usage });
    answer(body);
    const response = await draw({ model: 'openai/gpt-image' });
    expect(await response.text()).toBe(body);
    expect(JSON.parse(upstream.requests.at(-1)?.body ?? '')).toEqual({ prompt: 'a cat', model: 'gpt-image' });
    // 20 at 5, 28 at 40 and 272 at 50 USD a million.
    expect(await eventOf(response)).toMatchObject({
      endpoint: '/v1/images/generations',
      usage: { input: 20, output: 28, outputImage: 272 },
      units: null,
      costPico: '14820000000',
    });
  });

  test('of another is billed by the piece, and by the piece alone where no price is known', async () => {
    const recording = providerRecording('openai/images.generations');
    answer(recording.bytes);
    const response = await draw({ model: 'openai/dall-e' });
    expect(await response.text()).toBe(recording.bytes.toString());
    expect(response.headers.get('x-turnpike-cost-usd')).toBe('0.04');
    expect(await eventOf(response)).toMatchObject({ usage: null, units: { images: 1 }, usageFlags: [], costPico: '40000000000' });
    const unpriced = await eventOf(await draw({ model: 'openai/unpriced' }));
    expect(unpriced).toMatchObject({ units: { images: 1 }, costPico: null, unrated: 'no_price' });
  });

  test('that is streamed passes event by event, with its usage at the end', async () => {
    const event = (type: string, fields: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
    const partial = event('image_generation.partial_image', { b64_json: 'aGk=', partial_image_index: 0 });
    const completed = event('image_generation.completed', { b64_json: 'aGk=', usage });
    answer(partial + completed, 'text/event-stream');
    const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0 });
    const asked = { model: 'openai/gpt-image', prompt: 'a cat', stream: true, partial_images: 1 } as const;
    const { data: stream, request_id } = await client.images.generate(asked).withResponse();
    const types = [];
    for await (const { type } of stream) types.push(type);
    expect(types).toEqual(['image_generation.partial_image', 'image_generation.completed']);
    expect(await proxy.eventOf(request_id)).toMatchObject({ stream: true, outcome: 'succeeded', costPico: '14820000000' });

    // Its end is told by an event, not by the connection.
    answer(partial, 'text/event-stream');
    const broken = await draw({ model: 'openai/gpt-image', stream: true });
    expect(await broken.text()).toContain('upstream_broken_stream');
    expect(await eventOf(broken)).toMatchObject({ outcome: 'failed', errorCode: 'upstream_broken_stream', usage: null });

    // What is refused before the first picture is an HTTP error.
    answer(event('error', { error: { message: 'not that', type: 'invalid_request_error', code: '400' } }), 'text/event-stream');
    const refused = await draw({ model: 'openai/gpt-image', stream: true });
    expect([refused.status, (await refused.json()).error.message]).toEqual([400, 'not that']);
  });
});
