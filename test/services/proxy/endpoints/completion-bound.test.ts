import { expect, test } from 'vitest';
import { completionBound } from '../../../../services/proxy/endpoints/completion-bound.ts';

const bound = (members: string, contextWindow: number | null = null, maxOutputTokens: number | null = 1_000) => {
  const body = `{"model":"m",${members}}`;
  return completionBound(JSON.parse(body), Buffer.from(body), { contextWindow, maxOutputTokens }, null);
};

test.each([
  ['its limit', '"prompt":"x","max_tokens":5', 5],
  ["the model's where it sets none", '"prompt":"x"', 1_000],
  ['each answer', '"prompt":"x","max_tokens":5,"n":3', 15],
  ['each answer that the best is chosen from', '"prompt":"x","max_tokens":5,"n":2,"best_of":4', 20],
  ['each prompt', '"prompt":["x","y"],"max_tokens":5,"n":2', 20],
  ['one prompt of several tokens', '"prompt":[1,2,3],"max_tokens":5', 5],
  ['each prompt of tokens', '"prompt":[[1,2],[3]],"max_tokens":5', 10],
  ['the larger of prompts given twice', '"prompt":["x","y","z"],"prompt":"x","max_tokens":5', 15],
])('the output of a completion is bounded by %s', (_what, members, output) => {
  expect(bound(members).output).toBe(output);
});

test('the input is bounded by the bytes, and by the context of the model for each prompt', () => {
  expect(bound('"prompt":"x"', 100).input).toBe(100);
  expect(bound('"prompt":["x","y"]', 100).input).toBe(200);
  expect(bound('"prompt":["x","y"]').input).toBe(32 + 512);
});
