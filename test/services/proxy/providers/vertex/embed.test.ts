import { expect, test } from 'vitest';
import { UNKNOWN_USAGE } from '../../../../../schema/values/token-usage.ts';
import { vertexEmbed } from '../../../../../services/proxy/providers/vertex/embed.ts';

const others = new Map<string, unknown>([
  ['task_type', 'CLUSTERING'],
  ['seed', 1],
]);
const answer = (body: object) => vertexEmbed.readAnswer(Buffer.from(JSON.stringify(body)), {});
const prediction = (tokens: number) => ({ embeddings: { values: [tokens], statistics: { token_count: tokens, truncated: false } } });

test('several texts are one prediction, and each tells its tokens', () => {
  const lost: string[] = [];
  const asked = vertexEmbed.writeRequest({ texts: ['a', 'b'], dimensions: 8, others }, 'gemini-embedding-001', (name) => lost.push(name));
  const instance = (content: string) => ({ content, task_type: 'CLUSTERING' });
  expect(asked).toEqual({
    path: '/publishers/google/models/gemini-embedding-001:predict',
    body: { instances: [instance('a'), instance('b')], parameters: { outputDimensionality: 8 } },
  });
  expect(lost).toEqual(['seed']);
  expect(answer({ predictions: [prediction(3), prediction(4)] })).toMatchObject({
    vectors: [[3], [4]],
    facts: { usage: { ...UNKNOWN_USAGE, input: 7, output: 0 }, usageFlags: [] },
  });
});

test('where one text does not tell its tokens, nobody knows their sum', () => {
  const read = answer({ predictions: [prediction(3), { embeddings: { values: [1] } }] });
  expect(read?.facts).toMatchObject({ usage: null, usageFlags: ['usage_missing'] });
});

test('a later model embeds one text a call, and is not asked for two', () => {
  const asked = vertexEmbed.writeRequest({ texts: ['a'], dimensions: 2, others: new Map() }, 'gemini-embedding-2', () => undefined);
  expect(asked).toEqual({
    path: '/publishers/google/models/gemini-embedding-2:embedContent',
    body: { content: { parts: [{ text: 'a' }] }, embedContentConfig: { outputDimensionality: 2 } },
  });
  expect(answer({ embedding: { values: [1, 2] }, usageMetadata: { promptTokenCount: 5, totalTokenCount: 5 } })).toMatchObject({
    vectors: [[1, 2]],
    facts: { usage: { ...UNKNOWN_USAGE, input: 5, output: 0 }, rawUsage: '{"promptTokenCount":5,"totalTokenCount":5}' },
  });
  const two = { texts: ['a', 'b'], dimensions: null, others: new Map() };
  expect(() => vertexEmbed.writeRequest(two, 'gemini-embedding-2', () => undefined)).toThrow('one text a request');
});

test('what is no answer is none', () => {
  expect([{}, { predictions: [{}] }, { embedding: {} }].map(answer)).toEqual([null, null, null]);
});
