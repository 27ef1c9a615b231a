import { expect, test } from 'vitest';
import { chatBound } from '../../../../services/proxy/endpoints/chat-bound.ts';

const unknown = { contextWindow: null, maxOutputTokens: null };
const request = (fields: object = {}) => ({ model: 'm', messages: [{ role: 'user', content: 'hello' }], ...fields });

test.each([
  ['bytes and an allowance', request(), 1_000, unknown, { input: 1_512, output: 131_072 }],
  ["the model's context", request(), 1_000, { contextWindow: 900, maxOutputTokens: null }, { input: 900, output: 900 }],
  ["the model's output", request(), 0, { contextWindow: null, maxOutputTokens: 64 }, { input: 512, output: 64 }],
  [
    'the lower of two output limits',
    request({ max_tokens: 16 }),
    0,
    { contextWindow: null, maxOutputTokens: 64 },
    { input: 512, output: 16 },
  ],
  [
    "never more than the model's",
    request({ max_tokens: 999 }),
    0,
    { contextWindow: null, maxOutputTokens: 64 },
    { input: 512, output: 64 },
  ],
  // The provider may believe either, and a hold for the smaller one would be billed above.
  ['the larger limit where both are given', request({ max_tokens: 99, max_completion_tokens: 7 }), 0, unknown, { input: 512, output: 99 }],
  ['the larger one by the newer name', request({ max_tokens: 7, max_completion_tokens: 99 }), 0, unknown, { input: 512, output: 99 }],
  ['the one of both that says something', request({ max_tokens: 7, max_completion_tokens: null }), 0, unknown, { input: 512, output: 7 }],
  ['each choice', request({ n: 3, max_tokens: 5 }), 0, unknown, { input: 512, output: 15 }],
])('a request is bounded by %s', (_what, body, bytes, model, bound) => {
  expect(chatBound(body, Buffer.alloc(bytes), model, null)).toEqual(bound);
});

test('what is not text is bounded by the context of the model, or where that is not known by a large number for each part', () => {
  const text = { type: 'text', text: 'look' };
  const image = { type: 'image_url', image_url: { url: 'https://pictures.test/1' } };
  const look = request({
    messages: [
      { role: 'user', content: [text, image, image] },
      { role: 'user', content: [text] },
    ],
    max_tokens: 1,
  });
  expect(chatBound(look, Buffer.alloc(100), { contextWindow: 8_000, maxOutputTokens: null }, null).input).toBe(8_000);
  expect(chatBound(look, Buffer.alloc(100), unknown, null).input).toBe(100 + 512 + 2 * 65_536);
});

test("a route's cap bounds what sets no limit itself, and is never above the model's", () => {
  const bound = (fields: object, maxOutputTokens: number | null) =>
    chatBound(request(fields), Buffer.alloc(0), { contextWindow: null, maxOutputTokens }, { tokens: 40, injected: false }).output;
  expect([bound({}, null), bound({}, 64), bound({}, 16), bound({ n: 2 }, null)]).toEqual([40, 40, 16, 80]);
  expect([bound({ max_tokens: 50 }, null), bound({ max_completion_tokens: 7 }, null), bound({ max_tokens: null }, null)]).toEqual([
    50, 7, 40,
  ]);
});

test('of a member that is given twice the larger counts, since a provider may believe either', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['"max_tokens":900,"max_tokens":7', 900],
    ['"max_tokens":7,"max_tokens":900', 900],
    ['"max_\\u0074okens":900,"max_tokens":7', 900],
    ['"max_tokens":900,"max_tokens":null', 900],
    ['"max_tokens":1e999,"max_tokens":7', 4_000],
    ['"max_tokens":8.5,"max_tokens":7', 9],
    ['"max_tokens":"900","max_tokens":7', 7],
    ['"max_tokens":7,"metadata":{"max_tokens":900}', 7],
    ['"n":100,"max_tokens":7,"n":2', 700],
  ];
  const outputOf = (members: string) => {
    const bytes = Buffer.from(`{${members},"messages":[]}`);
    const parsed = request(JSON.parse(bytes.toString()) as object);
    return chatBound(parsed, bytes, { contextWindow: null, maxOutputTokens: 4_000 }, null).output;
  };
  expect(cases.map(([members]) => [members, outputOf(members)])).toEqual(cases);
});
