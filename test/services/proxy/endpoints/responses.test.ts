import { expect, test } from 'vitest';
import { GatewayError } from '../../../../schema/errors.ts';
import type { ResponsesRequest } from '../../../../schema/http/responses.ts';
import { responses } from '../../../../services/proxy/endpoints/responses.ts';
import { responsesBound, responsesOutputLimit } from '../../../../services/proxy/endpoints/responses-bound.ts';

const model = { contextWindow: 400_000, maxOutputTokens: 128_000 };
function boundOf(fields: Partial<ResponsesRequest>): readonly [input: number, output: number] {
  const request = { model: 'm', ...fields };
  const { input, output } = responsesBound(request, Buffer.from(JSON.stringify(request)), model, null);
  return [input, output];
}
function refusalOf(body: unknown): readonly [code: string, param: string | null] {
  try {
    responses.parse(body, '');
  } catch (error) {
    if (error instanceof GatewayError) return [error.code, error.param];
  }
  throw new Error('not refused');
}

test('text is bounded by its bytes, also in items, calls and what a model encrypted', () => {
  const input = [
    { role: 'user', content: 'hello' },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'hi' }] },
    { type: 'reasoning', summary: [], encrypted_content: 'gAAA' },
    { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
    { type: 'function_call_output', call_id: 'c', output: 'done' },
  ];
  const tools = [{ type: 'function', name: 'f' }];
  expect(boundOf({ input, tools, max_output_tokens: 100 })).toEqual([
    512 + JSON.stringify({ model: 'm', input, tools, max_output_tokens: 100 }).length,
    100,
  ]);
});

test.each<[what: string, fields: Partial<ResponsesRequest>]>([
  ['an earlier response', { input: 'and?', previous_response_id: 'resp_1' }],
  ['a conversation', { input: 'and?', conversation: 'conv_1' }],
  ['a stored prompt', { prompt: { id: 'pmpt_1' } }],
  ['a picture', { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://pictures.example/1' }] }] }],
  ['a file that a tool gave', { input: [{ type: 'function_call_output', call_id: 'c', output: [{ type: 'input_file', file_id: 'f' }] }] }],
  ['an item by its name', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
  ['a tool of the provider', { input: 'news?', tools: [{ type: 'web_search' }] }],
])('%s is not in the body, so the context of the model bounds it', (_what, fields) => {
  expect(boundOf(fields)).toEqual([400_000, 128_000]);
});

test('of a limit given twice the larger counts', () => {
  const text = '{"model":"m","max_output_tokens":900,"max_output_tokens":10}';
  expect(responsesOutputLimit(JSON.parse(text), Buffer.from(text))).toBe(900);
});

test('what goes on in the background is refused, since nobody could settle it', () => {
  expect(refusalOf({ model: 'm', input: 'x', background: true })).toEqual(['invalid_request', 'background']);
});

test('a fault is named by its place', () => {
  expect(refusalOf({ input: 'x' })).toEqual(['invalid_request', 'model']);
  expect(refusalOf({ model: 'm', input: ['x'] })[0]).toBe('invalid_request');
  expect(refusalOf({ model: 'm', input: 'x', max_output_tokens: 0 })).toEqual(['invalid_request', 'max_output_tokens']);
});
