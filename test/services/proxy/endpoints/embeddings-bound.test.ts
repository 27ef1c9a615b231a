import { expect, test } from 'vitest';
import { embeddingsBound } from '../../../../services/proxy/endpoints/embeddings-bound.ts';

const bound = (body: string, contextWindow: number | null = null) =>
  embeddingsBound(JSON.parse(body), Buffer.from(body), { contextWindow, maxOutputTokens: null });

test.each([
  ['a text by its bytes', '{"model":"m","input":"héllo"}', null, 6 + 16],
  ['each of several texts', '{"model":"m","input":["abc","de"]}', null, 3 + 2 + 2 * 16],
  ['tokens by their number', '{"model":"m","input":[15339,1917,11]}', null, 3 + 16],
  ['the tokens of each input', '{"model":"m","input":[[15339,1917],[11]]}', null, 2 + 1 + 2 * 16],
  ['the context of the model for each of its inputs', '{"model":"m","input":["abcdefghij","ab"]}', 8, 8 + 8],
  ['a large number for what is no text', '{"model":"m","input":[{"image":"i"}]}', null, 13 + 65_536 + 16],
  ['the context for what is no text', '{"model":"m","input":[{"image":"i"}]}', 512, 512],
  ['nothing where there is no input', '{"model":"m","input":[]}', null, 0],
])('an embeddings request is bounded by %s', (_what, body, contextWindow, input) => {
  expect(bound(body, contextWindow)).toEqual({ input, output: 0 });
});

test('of an input that is given twice the larger counts, since a provider may believe either', () => {
  const body = `{"model":"m","input":["${'x'.repeat(1_000)}","z"],"input":"y"}`;
  expect(bound(body).input).toBe(1_001 + 2 * 16);
  // A key may be written in another way.
  expect(bound(body.replace('"input"', '"inpu\\u0074"')).input).toBe(1_001 + 2 * 16);
  expect(bound('{"model":"m","input":"caf\\u00e9"}').input).toBe(5 + 16);
});
