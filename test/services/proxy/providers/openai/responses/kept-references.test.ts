import { expect, test } from 'vitest';
import type { ResponsesRequest } from '../../../../../../schema/http/responses.ts';
import { keptReference } from '../../../../../../services/proxy/providers/openai/responses/kept-references.ts';

const asked = (fields: object): ResponsesRequest => ({ model: 'm', input: 'hello', ...fields });

test.each<[what: string, fields: object, place: string]>([
  ['an earlier response', { previous_response_id: 'resp_1' }, 'previous_response_id'],
  ['a conversation', { conversation: { id: 'conv_1' } }, 'conversation'],
  ['a prompt', { prompt: { id: 'pmpt_1' } }, 'prompt'],
  [
    'an item',
    {
      input: [
        { role: 'user', content: 'a' },
        { type: 'item_reference', id: 'msg_1' },
      ],
    },
    'input[1]',
  ],
  ['a file', { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }] }, 'input[0]'],
  ['a picture', { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'file-1' }] }] }, 'input[0]'],
  ['a file that a tool gave', { input: [{ type: 'function_call_output', output: [{ type: 'input_file', file_id: 'f' }] }] }, 'input[0]'],
  ['a vector store', { tools: [{ type: 'function' }, { type: 'file_search', vector_store_ids: ['vs_1'] }] }, 'tools[1]'],
  ['a container', { tools: [{ type: 'code_interpreter', container: 'cntr_1' }] }, 'tools[0]'],
  ['files for a container', { tools: [{ type: 'code_interpreter', container: { type: 'auto', file_ids: ['f'] } }] }, 'tools[0]'],
  ['a mask', { tools: [{ type: 'image_generation', input_image_mask: { file_id: 'f' } }] }, 'tools[0]'],
])('%s that a provider keeps is found', (_what, fields, place) => {
  expect(keptReference(asked(fields))).toBe(place);
});

test('what a request says itself refers to nothing', () => {
  const input = [
    {
      role: 'user',
      content: [
        { type: 'input_text', text: '"file_id"' },
        { type: 'input_file', file_data: 'data:,', file_id: null },
      ],
    },
    { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAA' },
    { type: 'function_call', call_id: 'c', name: 'f', arguments: '{"file_id":"mine"}' },
    { type: 'function_call_output', call_id: 'c', output: 'done' },
  ];
  const tools = [
    { type: 'function', name: 'f', parameters: { type: 'object', properties: { file_id: { type: 'string' }, container: {} } } },
    { type: 'code_interpreter', container: { type: 'auto' } },
    { type: 'web_search' },
  ];
  expect(keptReference(asked({ input, tools, previous_response_id: null, conversation: null }))).toBeNull();
});
