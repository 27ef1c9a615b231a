import { expect, test } from 'vitest';
import { tokenBound } from '../../../../services/proxy/budgets/token-bound.ts';

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
  ['the newer limit where both are given', request({ max_tokens: 99, max_completion_tokens: 7 }), 0, unknown, { input: 512, output: 7 }],
  ['each choice', request({ n: 3, max_tokens: 5 }), 0, unknown, { input: 512, output: 15 }],
])('a request is bounded by %s', (_what, body, bytes, model, bound) => {
  expect(tokenBound(body, bytes, model, null)).toEqual(bound);
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
  expect(tokenBound(look, 100, { contextWindow: 8_000, maxOutputTokens: null }, null).input).toBe(8_000);
  expect(tokenBound(look, 100, unknown, null).input).toBe(100 + 512 + 2 * 65_536);
});

test("a route's cap bounds what sets no limit itself, and is never above the model's", () => {
  const bound = (fields: object, maxOutputTokens: number | null) =>
    tokenBound(request(fields), 0, { contextWindow: null, maxOutputTokens }, { tokens: 40, injected: false }).output;
  expect([bound({}, null), bound({}, 64), bound({}, 16), bound({ n: 2 }, null)]).toEqual([40, 40, 16, 80]);
  expect([bound({ max_tokens: 50 }, null), bound({ max_completion_tokens: 7 }, null), bound({ max_tokens: null }, null)]).toEqual([
    50, 7, 40,
  ]);
});
