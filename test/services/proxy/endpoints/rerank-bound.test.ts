import { expect, test } from 'vitest';
import { rerankBound } from '../../../../services/proxy/endpoints/rerank-bound.ts';

const boundOf = (body: string) => rerankBound(JSON.parse(body), Buffer.from(body));
const bound = (fields: object) => boundOf(JSON.stringify({ model: 'm', ...fields }));
const documents = (count: number, bytes: number) => Array.from({ length: count }, () => 'd'.repeat(bytes));

test.each([
  ['the query with each of its documents, by their bytes', { query: 'hé', documents: ['abc', 'de'] }, 3 + 3 + 16 + 3 + 2 + 16, 1],
  ['a hundred documents in one search', { query: 'q', documents: documents(100, 10) }, 100 * 27, 1],
  ['a further one in another', { query: 'q', documents: documents(101, 10) }, 101 * 27, 2],
  ['as one document what is not longer than 500 tokens with its query', { query: 'qq', documents: documents(100, 498) }, 100 * 516, 1],
  ['the chunks of longer ones, of 250 tokens at least', { query: 'q', documents: documents(100, 999) }, 100 * 1_016, 4],
  [
    'a long query in every chunk, to where it is cut',
    { query: 'q'.repeat(10_000), documents: documents(100, 452) },
    100 * (10_452 + 16),
    10,
  ],
  ['documents with names by all that they have', { query: 'q', documents: [{ title: 'a' }] }, 1 + 13 + 16, 1],
  ['a large number for a picture', { query: { image: 'i' }, documents: ['d'] }, 13 + 1 + 16 + 65_536, 1],
  ['one search where there are no documents', { query: 'q', documents: [] }, 0, 1],
])('a rerank request is bounded by %s', (_what, fields, input, searches) => {
  expect(bound(fields)).toEqual({ input, output: 0, searches });
});

test('of what is given twice the larger counts, since a provider may believe either', () => {
  const many = JSON.stringify(documents(101, 10));
  expect(boundOf(`{"query":"q","documents":${many},"documents":["d"]}`)).toMatchObject({ input: 101 * 27, searches: 2 });
  expect(boundOf(`{"query":"qqqq","documents":["d"],"query":"q"}`).input).toBe(4 + 1 + 16);
});
