import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../../../schema/errors.ts';
import { responsesBody } from '../../../../../schema/http/responses.ts';
import { writeKeptReasoning } from '../../../../../services/proxy/dialects/responses/kept-reasoning.ts';
import { readResponsesRequest } from '../../../../../services/proxy/dialects/responses/read-request.ts';
import { testConversation } from '../../../../harness/conversations.ts';
import { responsesRecordings } from '../../../../harness/provider-recordings.ts';

function read(fields: Record<string, unknown>) {
  const notCarried = new Set<string>();
  const request: unknown = { model: 'anthropic/claude', input: 'hello', ...fields };
  if (!responsesBody.is(request)) throw new Error('not a request');
  return { conversation: readResponsesRequest(request, (field) => notCarried.add(field)), notCarried: [...notCarried] };
}

function refusal(fields: Record<string, unknown>): GatewayError {
  try {
    read(fields);
  } catch (error) {
    if (error instanceof GatewayError) return error;
  }
  throw new Error('not refused');
}

const text = (words: string) => ({ kind: 'text', text: words, cache: null });

test('the least there is', () => {
  expect(read({})).toEqual({ conversation: testConversation(), notCarried: [] });
});

test('every setting that others have too', () => {
  const { conversation, notCarried } = read({
    instructions: 'Be brief.',
    tools: [{ type: 'function', name: 'f', description: 'does it', parameters: { type: 'object' }, strict: true }],
    tool_choice: { type: 'function', name: 'f' },
    parallel_tool_calls: false,
    max_output_tokens: 100,
    temperature: 0.5,
    top_p: 0.9,
    top_logprobs: 3,
    include: ['message.output_text.logprobs', 'reasoning.encrypted_content'],
    reasoning: { effort: 'low', summary: 'auto' },
    text: { format: { type: 'json_schema', name: 'shape', schema: { type: 'object' }, strict: true }, verbosity: 'medium' },
    service_tier: 'flex',
    user: 'user-1',
    metadata: { for: 'a test' },
    store: false,
    truncation: 'disabled',
    stream: true,
    stream_options: { include_obfuscation: false },
  });
  expect(notCarried).toEqual([]);
  expect(conversation).toEqual(
    testConversation({
      turns: [
        { role: 'instructions', parts: [{ kind: 'text', text: 'Be brief.', cache: null }] },
        { role: 'user', parts: [{ kind: 'text', text: 'hello', cache: null }] },
      ],
      tools: [{ name: 'f', description: 'does it', parameters: { type: 'object' }, strict: true, cache: null }],
      toolChoice: { kind: 'tool', name: 'f' },
      parallelToolCalls: false,
      maxOutputTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      logprobs: 3,
      reasoning: { effort: 'low', budgetTokens: null, visible: true },
      outputFormat: { kind: 'json_schema', name: 'shape', schema: { type: 'object' }, strict: true },
      serviceTier: 'flex',
      endUser: 'user-1',
      stream: true,
    }),
  );
});

test('only the tools that are allowed', () => {
  const tools = ['a', 'b', 'c'].map((name) => ({ type: 'function', name }));
  const choice = { type: 'allowed_tools', mode: 'required', tools: [tools[0], tools[2]] };
  const { conversation } = read({ tools, tool_choice: choice });
  expect([conversation.tools.map(({ name }) => name), conversation.toolChoice]).toEqual([['a', 'c'], { kind: 'required' }]);
});

test('items of the assistant are one turn, results of its tools another', () => {
  const { conversation, notCarried } = read({
    input: [
      { role: 'developer', content: 'Be kind.' },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'look', prompt_cache_breakpoint: { mode: 'explicit' } },
          { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'low' },
          { type: 'input_image', image_url: 'https://pictures.example/1' },
          { type: 'input_file', filename: 'A.PDF', file_data: 'QkJC' },
          { type: 'input_audio', input_audio: { data: 'Q0ND', format: 'wav' } },
        ],
      },
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [{ type: 'summary_text', text: 'Hm.' }],
        encrypted_content: writeKeptReasoning({ kind: 'thinking', signature: 's' }),
      },
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'I see.', annotations: [], logprobs: [] }],
      },
      { type: 'reasoning', summary: [], encrypted_content: writeKeptReasoning({ kind: 'call', callId: 'c2', signature: 'proof' }) },
      { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'f', arguments: '{"n":12345678901234567890}', status: 'completed' },
      { type: 'function_call', call_id: 'c2', name: 'g', arguments: '' },
      { type: 'function_call_output', call_id: 'c1', output: 'done' },
      { type: 'function_call_output', call_id: 'c2', output: [{ type: 'input_image', file_id: 'file_1' }] },
      { role: 'user', content: 'and now?' },
    ],
  });
  expect(notCarried).toEqual([]);
  expect(conversation.turns).toEqual([
    { role: 'instructions', parts: [text('Be kind.')] },
    {
      role: 'user',
      parts: [
        { ...text('look'), cache: { ttl: null } },
        { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' }, detail: 'low', cache: null },
        { kind: 'image', source: { kind: 'url', url: 'https://pictures.example/1', mediaType: null }, detail: null, cache: null },
        { kind: 'document', source: { kind: 'base64', mediaType: 'application/pdf', data: 'QkJC' }, title: 'A.PDF', cache: null },
        { kind: 'audio', data: 'Q0ND', format: 'wav' },
      ],
    },
    {
      role: 'assistant',
      parts: [
        { kind: 'thinking', text: 'Hm.', signature: 's' },
        text('I see.'),
        { kind: 'tool_call', callId: 'c1', name: 'f', input: '{"n":12345678901234567890}', signature: null, cache: null },
        { kind: 'tool_call', callId: 'c2', name: 'g', input: '{}', signature: 'proof', cache: null },
      ],
    },
    {
      role: 'user',
      parts: [
        { kind: 'tool_result', callId: 'c1', toolName: null, parts: [text('done')], isError: false, cache: null },
        {
          kind: 'tool_result',
          callId: 'c2',
          toolName: null,
          parts: [{ kind: 'image', source: { kind: 'file', id: 'file_1' }, detail: null, cache: null }],
          isError: false,
          cache: null,
        },
      ],
    },
    { role: 'user', parts: [text('and now?')] },
  ]);
});

test('what cannot be carried is told, and nothing is dropped in silence', () => {
  const { notCarried } = read({
    store: true,
    truncation: 'auto',
    text: { verbosity: 'low' },
    max_tool_calls: 3,
    prompt_cache_key: 'key',
    invented_tomorrow: 1,
    tools: [
      { type: 'web_search', search_context_size: 'low' },
      { type: 'function', name: 'f', invented: true },
    ],
    input: [
      { role: 'user', content: 'hello' },
      { type: 'reasoning', summary: [], encrypted_content: 'gAAAA' },
      { type: 'web_search_call', id: 'ws_1', status: 'completed' },
    ],
  });
  expect(notCarried.sort()).toEqual([
    'input[].encrypted_content',
    'input[].web_search_call',
    'invented_tomorrow',
    'max_tool_calls',
    'prompt_cache_key',
    'store',
    'text.verbosity',
    'tools[].invented',
    'tools[].web_search',
    'truncation',
  ]);
});

describe('is refused, and says what to do instead', () => {
  test.each<[what: string, fields: Record<string, unknown>, param: string, words: RegExp]>([
    ['an earlier response', { previous_response_id: 'resp_1' }, 'previous_response_id', /send the whole conversation in `input`/],
    ['a conversation', { conversation: 'conv_1' }, 'conversation', /send the whole of it in `input`/],
    ['a stored prompt', { prompt: { id: 'pmpt_1' } }, 'prompt', /send its text in `instructions`/],
    ['a reference to an item', { input: [{ type: 'item_reference', id: 'msg_1' }] }, 'input[0].type', /send the item itself/],
    ['a tool of the provider', { tools: [{ type: 'file_search', vector_store_ids: [] }] }, 'tools[0].type', /Use tools of type 'function'/],
    [
      'a tool of the provider as the only choice',
      { tool_choice: { type: 'mcp', server_label: 'x' } },
      'tool_choice.type',
      /Use tools of type/,
    ],
    ['a call of such a tool', { input: [{ type: 'computer_call', call_id: 'c' }] }, 'input[0].type', /computer_call/],
    ['no input', { input: null }, 'input', /Missing required parameter/],
    ['an empty input', { input: [] }, 'input', /must not be empty/],
    [
      'arguments that are none',
      { input: [{ type: 'function_call', call_id: 'c', name: 'f', arguments: '{"a":' }] },
      'input[0].arguments',
      /JSON/,
    ],
    [
      'a part in the wrong place',
      { input: [{ role: 'assistant', content: [{ type: 'input_image' }] }] },
      'input[0].content[0].type',
      /input_image/,
    ],
  ])('%s', (_what, fields, param, words) => {
    const error = refusal(fields);
    expect([error.code, error.param]).toEqual(['invalid_request', param]);
    expect(error.message).toMatch(words);
  });
});

test('what was recorded is understood, or refused for what its provider alone has', () => {
  const refused: string[] = [];
  for (const { name, request } of responsesRecordings) {
    if (!responsesBody.is(request)) continue;
    try {
      const { turns } = readResponsesRequest(request, () => {});
      expect(turns.length).toBeGreaterThan(0);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      refused.push(`${name.replace(/.*responses\./, '')}: ${error.param}`);
    }
  }
  expect(refused).toEqual(['stream.mcp.gpt-4.1: tools[0].type', 'sync.reasoning_mcp_encrypted-reasoning.o4-mini: tools[0].type']);
});
