import { expect, test } from 'vitest';
import { prepareResponse } from '../../../../../../services/proxy/providers/openai/responses/request.ts';

const target = { upstreamModel: 'gpt-5' };
function prepared(text: string, outputTokens: number | null = null): string {
  return prepareResponse({ bytes: Buffer.from(text), media: null, request: JSON.parse(text), outputTokens }, target).toString('utf8');
}

test('only the model is replaced: digits, spaces and unknown members stay', () => {
  const body = '{ "model" : "openai/gpt-5", "input":"é", "seed":12345678901234567890, "new":[1.0] }';
  expect(prepared(body)).toBe('{ "model" : "gpt-5", "input":"é", "seed":12345678901234567890, "new":[1.0] }');
});

test('a model given twice is replaced twice, and one inside of something else is not', () => {
  expect(prepared('{"model":"a","prompt":{"model":"b"},"model":"c"}')).toBe('{"model":"gpt-5","prompt":{"model":"b"},"model":"gpt-5"}');
});

test('a limit of its route is written into a request that sets none', () => {
  expect(prepared('{"model":"a"}', 500)).toBe('{"max_output_tokens":500,"model":"gpt-5"}');
  expect(prepared('{"model":"a","max_output_tokens":null}', 500)).toBe('{"model":"gpt-5","max_output_tokens":500}');
});
