import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Books } from '../../../services/simulator/books.ts';
import { credentialName } from '../../../services/simulator/credential.ts';
import { eventually } from '../../harness/eventually.ts';
import { startSimulator } from '../../harness/simulator.ts';

const messages = [{ role: 'user', content: 'one two three' }];

function post(baseUrl: string, body: object, headers: Readonly<Record<string, string>> = {}, signal: AbortSignal | null = null) {
  return fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { authorization: 'Bearer sk-one', ...headers },
    signal,
  });
}

type Usage = {
  prompt_tokens: number;
  completion_tokens: number;
  prompt_tokens_details: { cached_tokens: number; audio_tokens: number; cache_write_tokens?: number };
  completion_tokens_details: { reasoning_tokens: number; audio_tokens: number };
};

test('totals and entries equal the sum of the usage that was reported, over the wire', async () => {
  await using provider = await startSimulator();
  const request = fc.record({
    model: fc.constantFrom('echo', 'cached', 'cache-write', 'reasoning', 'audio', 'tools', 'long', 'flaky', 'error-429', 'no-usage'),
    stream: fc.boolean(),
    n: fc.integer({ min: 1, max: 3 }),
    max_tokens: fc.option(fc.integer({ min: 1, max: 100 }), { nil: null }),
    content: fc.string({ maxLength: 200, unit: 'grapheme' }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 8 }), async (requests) => {
      await fetch(`${provider.url}/books`, { method: 'DELETE' });
      const sum = {
        answers: 0,
        promptTokens: 0,
        cachedTokens: 0,
        cacheWriteTokens: 0,
        audioInputTokens: 0,
        completionTokens: 0,
        reasoningTokens: 0,
        audioOutputTokens: 0,
      };
      const seen = new Map<string, string>();
      await Promise.all(
        requests.map(async ({ content, stream, ...rest }, index) => {
          const options = stream ? { stream, stream_options: { include_usage: true } } : {};
          const text = await post(
            provider.baseUrl,
            { ...rest, ...options, messages: [{ role: 'user', content }] },
            { 'x-request-id': `req_${index}` },
          )
            .then((response) => response.text())
            .catch(() => '');
          const found = /"usage":(\{.*?\}\})/.exec(text)?.[1];
          if (found === undefined) return;
          const usage: Usage = JSON.parse(found);
          seen.set(`req_${index}`, /"id":"(.*?)"/.exec(text)?.[1] ?? '');
          sum.answers += 1;
          sum.promptTokens += usage.prompt_tokens;
          sum.cachedTokens += usage.prompt_tokens_details.cached_tokens;
          sum.cacheWriteTokens += usage.prompt_tokens_details.cache_write_tokens ?? 0;
          sum.audioInputTokens += usage.prompt_tokens_details.audio_tokens;
          sum.completionTokens += usage.completion_tokens;
          sum.reasoningTokens += usage.completion_tokens_details.reasoning_tokens;
          sum.audioOutputTokens += usage.completion_tokens_details.audio_tokens;
        }),
      );
      const books = JSON.parse(await (await fetch(`${provider.url}/books`)).text());
      expect(books.requests).toBe(requests.length);
      expect(books.reported).toEqual(sum);
      const { entries } = JSON.parse(await (await fetch(`${provider.url}/books/entries?after=${books.entries.firstSequence - 1}`)).text());
      expect(entries).toHaveLength(requests.length);
      const told = entries.filter((entry: { reported: unknown }) => entry.reported !== null);
      expect(new Map(told.map((entry: { requestId: string; id: string }) => [entry.requestId, entry.id]))).toEqual(seen);
      for (const entry of told) expect(entry.billed).toEqual(entry.reported);
    }),
    { numRuns: 30 },
  );
});

test('a client that leaves a stream is billed what was generated until then, and less than the whole', async () => {
  await using provider = await startSimulator();
  const leave = new AbortController();
  const response = await post(
    provider.baseUrl,
    { model: 'echo', messages, stream: true, metadata: { simulator: 'tokens=5000; token-ms=10' } },
    { 'x-request-id': 'req_left' },
    leave.signal,
  );
  const reader = response.body!.getReader();
  let text = '';
  while (text.split('\n\n').length < 6) text += new TextDecoder().decode((await reader.read()).value);
  leave.abort();
  await eventually(() => provider.simulator.books.summary().outcomes.cancelled === 1);
  const [entry] = provider.simulator.books.entries(0, 1).entries;
  expect(entry).toMatchObject({ requestId: 'req_left', outcome: 'cancelled', status: 200, reported: null });
  expect(entry!.billed!.promptTokens).toBeGreaterThan(0);
  expect(entry!.billed!.completionTokens).toBeGreaterThanOrEqual(4);
  expect(entry!.billed!.completionTokens).toBeLessThan(5_000);
});

test('a client that leaves before the first token is billed nothing', async () => {
  await using provider = await startSimulator();
  const leave = new AbortController();
  const left = post(provider.baseUrl, { model: 'stall', messages }, {}, leave.signal).catch(() => null);
  await eventually(() => provider.simulator.books.summary().active === 1);
  leave.abort();
  await left;
  await eventually(() => provider.simulator.books.summary().outcomes.cancelled === 1);
  expect(provider.simulator.books.entries(0, 1).entries).toMatchObject([{ status: null, billed: null }]);
});

test('a stream that is read to its end is billed whole, although nobody asked for its usage', async () => {
  await using provider = await startSimulator();
  await (await post(provider.baseUrl, { model: 'echo', messages, stream: true })).text();
  expect(provider.simulator.books.entries(0, 1).entries).toMatchObject([
    { outcome: 'finished', stream: true, reported: null, billed: { completionTokens: 3 } },
  ]);
});

test('counts stand by model and by credential, and no credential stands in them', async () => {
  await using provider = await startSimulator();
  await post(provider.baseUrl, { model: 'echo', messages });
  await post(provider.baseUrl, { model: 'cached', messages }, { authorization: 'Bearer sk-two' });
  await post(provider.baseUrl, { model: 'made-up', messages });
  const text = await (await fetch(`${provider.url}/books`)).text();
  const books = JSON.parse(text);
  expect(text).not.toMatch(/sk-(one|two)/);
  expect(books.models).toMatchObject({
    echo: { requests: 1 },
    cached: { reported: { cachedTokens: 1536 } },
    '(unknown)': { answered: { 404: 1 } },
  });
  expect(books.credentials).toMatchObject({
    [credentialName('sk-one')]: { requests: 2 },
    [credentialName('Bearer sk-two')]: { requests: 1 },
  });
});

test('the list of entries keeps its bound, counts what it dropped and pages without gap', () => {
  const books = new Books(10);
  const entry = {
    id: null,
    requestId: null,
    credential: 'none',
    model: 'echo',
    endpoint: '/',
    stream: false,
    status: 200,
    outcome: 'finished',
    reported: null,
    billed: null,
  } as const;
  const add = (times: number) => {
    for (let index = 0; index < times; index++) {
      books.open();
      books.record(entry);
    }
  };
  add(25);
  expect(books.summary().entries).toEqual({ kept: 10, dropped: 15, firstSequence: 16, lastSequence: 25 });
  const first = books.entries(0, 4);
  expect([first.missed, first.entries.map(({ sequence }) => sequence)]).toEqual([15, [16, 17, 18, 19]]);
  expect(books.entries(first.lastSequence, 100).entries.map(({ sequence }) => sequence)).toEqual([20, 21, 22, 23, 24, 25]);
  expect(books.entries(25, 4)).toEqual({ entries: [], missed: 0, lastSequence: 25 });
  books.reset();
  expect(books.summary()).toMatchObject({ requests: 0, entries: { kept: 0, dropped: 0, lastSequence: 25 } });
  add(1);
  expect(books.entries(0, 4)).toMatchObject({ missed: 0, entries: [{ sequence: 26 }] });
});

test('more models or credentials than are kept apart are counted together', () => {
  const books = new Books(10);
  for (let index = 0; index < 1_500; index++) {
    books.open();
    books.record({
      id: null,
      requestId: null,
      credential: `c${index}`,
      model: 'echo',
      endpoint: '/',
      stream: false,
      status: 200,
      outcome: 'finished',
      reported: null,
      billed: null,
    });
  }
  const { credentials } = books.summary();
  expect(Object.keys(credentials)).toHaveLength(1_001);
  expect(credentials['(other)']?.requests).toBe(500);
});

test('what reached the provider can be read, with unknown fields and without credentials', async () => {
  await using provider = await startSimulator();
  await post(
    provider.baseUrl,
    { model: 'echo', messages, some_new_field: { deep: [1, '2'] } },
    { 'x-request-id': 'req_a', 'x-api-key': 'hidden', 'x-other': 'seen' },
  );
  await post(provider.baseUrl, { model: 'echo', messages }, { 'x-request-id': 'req_b' });
  const text = await (await fetch(`${provider.url}/requests/last?limit=5&request-id=req_a`)).text();
  expect(text).not.toMatch(/hidden|sk-one/);
  const { requests } = JSON.parse(text);
  expect(requests).toHaveLength(1);
  expect(requests[0]).toMatchObject({
    method: 'POST',
    headers: { 'x-other': 'seen', authorization: credentialName('sk-one') },
    body: { some_new_field: { deep: [1, '2'] } },
  });
  const newest = JSON.parse(await (await fetch(`${provider.url}/requests/last`)).text());
  expect(newest.requests[0].headers['x-request-id']).toBe('req_b');
});
