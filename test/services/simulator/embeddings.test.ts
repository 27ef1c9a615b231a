import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { providerRecording } from '../../harness/provider-recordings.ts';
import { startSimulator } from '../../harness/simulator.ts';
import { fieldsOf } from './recorded-shape.ts';

async function startWithClient(seed?: number) {
  const running = await startSimulator(seed === undefined ? {} : { seed });
  const client = new OpenAI({ baseURL: running.baseUrl, apiKey: 'sk-test', maxRetries: 0 });
  return { client, baseUrl: running.baseUrl, books: running.simulator.books, [Symbol.asyncDispose]: running[Symbol.asyncDispose] };
}

const lengthOf = (vector: readonly number[]) => Math.hypot(...vector);

test('a text gets a vector of length 1 with 1,536 components, the same each time', async () => {
  await using provider = await startWithClient();
  const first = await provider.client.embeddings.create({ model: 'echo', input: 'hello there' });
  const again = await provider.client.embeddings.create({ model: 'echo', input: 'hello there' });
  expect(first).toMatchObject({ object: 'list', model: 'echo', usage: { prompt_tokens: 3, total_tokens: 3 } });
  expect(first.usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
  expect(first.data).toHaveLength(1);
  expect(first.data[0]).toMatchObject({ object: 'embedding', index: 0 });
  expect(first.data[0]!.embedding).toHaveLength(1536);
  expect(lengthOf(first.data[0]!.embedding)).toBeCloseTo(1, 5);
  expect(again.data).toEqual(first.data);
});

test('both encodings hold the very same numbers', async () => {
  await using provider = await startWithClient();
  const float = await provider.client.embeddings.create({ model: 'echo', input: 'hello', encoding_format: 'float' });
  // Without a format the client asks for base64 and decodes it.
  const decoded = await provider.client.embeddings.create({ model: 'echo', input: 'hello' });
  expect(Array.from(decoded.data[0]!.embedding)).toEqual(float.data[0]!.embedding);
  const raw: unknown = (await provider.client.embeddings.create({ model: 'echo', input: 'hello', encoding_format: 'base64' })).data[0]!
    .embedding;
  expect(raw).toMatch(/^[A-Za-z0-9+/]{8192}$/);
});

test('texts, tokens and lists of either are told apart, and each has its vector in order', async () => {
  await using provider = await startWithClient();
  const vectors = async (input: OpenAI.EmbeddingCreateParams['input']) => {
    const { data, usage } = await provider.client.embeddings.create({ model: 'echo', input, dimensions: 4 });
    expect(data.map(({ index }) => index)).toEqual(data.map((_, index) => index));
    return { vectors: data.map(({ embedding }) => embedding.join()), tokens: usage.prompt_tokens };
  };
  const texts = await vectors(['one', 'two', 'one']);
  expect(texts.tokens).toBe(3);
  expect(texts.vectors[0]).toBe(texts.vectors[2]);
  expect(texts.vectors[0]).not.toBe(texts.vectors[1]);
  expect((await vectors('one')).vectors).toEqual([texts.vectors[0]]);

  const tokens = await vectors([1, 2, 3]);
  expect([tokens.vectors.length, tokens.tokens]).toEqual([1, 3]);
  const lists = await vectors([[1, 2, 3], [4]]);
  expect([lists.vectors[0], lists.vectors.length, lists.tokens]).toEqual([tokens.vectors[0], 2, 4]);
});

test('fewer dimensions are the beginning of more, brought to length 1 again', async () => {
  await using provider = await startWithClient();
  const of = async (dimensions: number) =>
    (await provider.client.embeddings.create({ model: 'echo', input: 'x', dimensions })).data[0]!.embedding;
  const [short, long] = [await of(3), await of(3072)];
  expect([short.length, long.length]).toEqual([3, 3072]);
  const norm = lengthOf(long.slice(0, 3));
  for (const [index, component] of short.entries()) expect(component).toBeCloseTo(long[index]! / norm, 5);
});

test('another seed gives another vector, the same seed the same', async () => {
  const of = async (seed: number) => {
    await using provider = await startWithClient(seed);
    return (await provider.client.embeddings.create({ model: 'echo', input: 'x', dimensions: 8 })).data[0]!.embedding.join();
  };
  expect(await of(1)).toBe(await of(1));
  expect(await of(1)).not.toBe(await of(2));
});

test('bad requests are refused with the parameter named, and booked as refused', async () => {
  await using provider = await startWithClient();
  const refusal = async (body: object) => {
    const error = await provider.client.post('/embeddings', { body }).catch((thrown: unknown) => thrown);
    return error instanceof OpenAI.APIError ? [error.status, error.code, error.param] : 'no error';
  };
  expect(await refusal({ model: 'echo' })).toEqual([400, 'missing_required_parameter', 'input']);
  for (const input of ['', [], [''], [[]], ['a', 1], [-1], [1.5], Array(2049).fill('a')]) {
    expect(await refusal({ model: 'echo', input }), JSON.stringify(input).slice(0, 20)).toEqual([
      400,
      'invalid_type',
      expect.stringMatching(/^input/),
    ]);
  }
  expect(await refusal({ model: 'echo', input: 'x', dimensions: 3073 })).toEqual([400, 'invalid_type', 'dimensions']);
  expect(await refusal({ model: 'echo', input: 'x', encoding_format: 'hex' })).toEqual([400, 'invalid_type', 'encoding_format']);
  expect(await refusal({ model: 'echo', input: Array(2048).fill('a'), dimensions: 3072 })).toEqual([400, 'too_many_inputs', 'input']);
  expect(await refusal({ model: 'no-such', input: 'x' })).toEqual([404, 'model_not_found', null]);
  expect(await refusal({ model: 'error-context', input: 'x' })).toEqual([400, 'context_length_exceeded', 'input']);
  expect(await refusal({ model: 'echo', input: 'x', failure: { status: 200 } })).toBe('no error');
  expect(provider.books.summary()).toMatchObject({ requests: 15, outcomes: { refused: 14, finished: 1 }, billed: { answers: 1 } });
});

test('the books bill the prompt once the vectors were computed, and what was told is no more than the usage says', async () => {
  await using provider = await startWithClient();
  const send = (simulator: string) =>
    fetch(`${provider.baseUrl}/embeddings`, {
      method: 'POST',
      headers: { 'x-simulator': simulator, 'x-request-id': 'req_gateway' },
      body: JSON.stringify({ model: 'echo', input: ['hello', 'there'], dimensions: 2 }),
    }).then(
      (response) => response.text().catch(() => 'broken'),
      () => 'broken',
    );
  expect(JSON.parse(await send('')).usage).toEqual({ prompt_tokens: 4, total_tokens: 4 });
  expect(await send('disconnect=before')).toBe('broken');
  expect(await send('disconnect=1')).toBe('broken');
  expect(await send('usage=none')).not.toContain('usage');
  expect(JSON.parse(await send('prompt-tokens=9; answer-as=other'))).toMatchObject({ model: 'other', usage: { total_tokens: 9 } });
  const all = { promptTokens: 4, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 };
  const told = { promptTokens: 4, completionTokens: null, cachedTokens: null, reasoningTokens: null };
  expect(provider.books.entries(0, 10).entries).toMatchObject([
    { endpoint: '/v1/embeddings', id: null, requestId: 'req_gateway', stream: false, outcome: 'finished', billed: all, reported: told },
    { outcome: 'cut', status: null, billed: null, reported: null },
    { outcome: 'cut', status: 200, billed: all, reported: null },
    { outcome: 'finished', billed: all, reported: null },
    { outcome: 'finished', billed: { promptTokens: 9 }, reported: { promptTokens: 9 } },
  ]);
});

test.each([
  ['openai', 'openai/embeddings.sync.text.text-embedding-3-small', 'base64'],
  ['mistral', 'mistral/embeddings.sync.text.mistral-embed', 'float'],
  ['azure', 'azure-openai/embeddings.sync.text.cohere-embed-v3-english', 'float'],
])('the answer of %s has the fields that were recorded', async (shape, recording, encoding_format) => {
  await using provider = await startWithClient();
  const response = await fetch(`${provider.baseUrl}/embeddings`, {
    method: 'POST',
    headers: { 'x-simulator': `usage-shape=${shape}` },
    body: JSON.stringify({ model: 'echo', input: ['Ruby is great'], encoding_format }),
  });
  expect(fieldsOf(await response.json())).toEqual(fieldsOf(JSON.parse(providerRecording(recording).bytes.toString())));
});
