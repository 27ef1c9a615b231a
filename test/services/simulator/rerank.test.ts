import { expect, test } from 'vitest';
import { startProxy, testModel } from '../../harness/proxy.ts';
import { startSimulator } from '../../harness/simulator.ts';

const documents = ['Paris is in France', 'Rails is a framework in Ruby', { title: 'Ruby', text: 'a language' }];

test('documents are ranked by the words of the query that they have, and billed with the query each, through the gateway', async () => {
  await using provider = await startSimulator();
  await using proxy = await startProxy({
    providers: { sim: provider.baseUrl },
    models: [testModel('sim/echo', { upstreamModel: 'echo' })],
  });
  const asked = { model: 'sim/echo', query: 'ruby framework', documents };
  const response = await proxy.post('/v2/rerank', asked);
  // 4 tokens of the query with each, and 5, 7 and 9 of the documents.
  expect(await response.json()).toMatchObject({
    object: 'rerank',
    model: 'echo',
    results: [
      { index: 1, relevance_score: 0.99 },
      { index: 2, relevance_score: 0.5 },
      { index: 0, relevance_score: 0.01 },
    ],
    usage: { prompt_tokens: 33, completion_tokens: 0, total_tokens: 33 },
  });
  expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({
    usage: { input: 33, output: 0 },
    costPico: '49500000',
  });
  const { billed, reported } = provider.simulator.books.summary();
  expect([billed.promptTokens, reported.promptTokens]).toEqual([33, 33]);

  const best = await proxy.post('/v1/rerank', { ...asked, top_n: 2, return_documents: true });
  expect((await best.json()).results).toEqual([
    { index: 1, relevance_score: 0.99, document: { text: documents[1] } },
    { index: 2, relevance_score: 0.5, document: documents[2] },
  ]);
});

test('a request that is none is refused, and a model fails as it does elsewhere', async () => {
  await using provider = await startSimulator();
  const ask = async (fields: object): Promise<unknown> => {
    const body = JSON.stringify({ model: 'echo', query: 'q', documents, ...fields });
    const response = await fetch(`${provider.baseUrl}/rerank`, { method: 'POST', body });
    return [response.status, (await response.json()).error?.param];
  };
  expect(await ask({ documents: [] })).toEqual([400, 'documents']);
  expect(await ask({ model: 'error-context' })).toEqual([400, 'query']);
  expect(await ask({ model: 'none' })).toEqual([404, null]);
});
