import { expect, test } from 'vitest';
import { embedContentBound } from '../../../../services/proxy/endpoints/embed-content-bound.ts';

const text = { content: { parts: [{ text: 'hello' }] } };
const picture = { content: { parts: [{ text: 'see' }, { inlineData: {} }] } };
const bound = (requests: [object, ...object[]], written = JSON.stringify({ requests })): number => {
  const body = { requests: requests.map((request) => ({ content: {}, ...request })) };
  const bytes = Buffer.from(written);
  return (
    embedContentBound({ model: 'm', method: 'batchEmbedContents', body }, bytes, { contextWindow: 8_000, maxOutputTokens: null }).input -
    bytes.length
  );
};

test('embeddings are bounded by the bytes of their texts, and what is no text by the context of the model, each', () => {
  expect([bound([text, text]), bound([picture]), bound([text, picture, picture])]).toEqual([0, 8_000, 16_000]);
  const one = embedContentBound({ model: 'm', method: 'embedContent', body: picture }, Buffer.alloc(10), {
    contextWindow: null,
    maxOutputTokens: null,
  });
  expect(one).toEqual({ input: 10 + 65_536, output: 0 });
});

test('a list that stands there twice is bounded by the larger', () => {
  expect(bound([text], JSON.stringify({ requests: [picture] }).replace(/}$/, `,"requests":${JSON.stringify([text])}}`))).toBe(8_000);
});
