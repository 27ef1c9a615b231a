import { expect, test } from 'vitest';
import { GatewayError } from '../../../../../schema/errors.ts';
import type { Conversation } from '../../../../../services/proxy/conversation/conversation.ts';
import { readRequest } from '../../../../../services/proxy/dialects/chat-completions/read-request.ts';

const notCarriedOf: string[] = [];
function read(body: Readonly<Record<string, unknown>>): Conversation {
  notCarriedOf.length = 0;
  return readRequest({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...body }, (field) => notCarriedOf.push(field));
}
const turnsOf = (...messages: readonly object[]) => read({ messages }).turns;
const text = (value: string, cache: object | null = null) => ({ kind: 'text', text: value, cache });

test('a plain question says nothing else', () => {
  expect(read({})).toEqual({
    turns: [{ role: 'user', parts: [text('hi')] }],
    tools: [],
    toolChoice: null,
    parallelToolCalls: null,
    maxOutputTokens: null,
    temperature: null,
    topP: null,
    topK: null,
    frequencyPenalty: null,
    presencePenalty: null,
    seed: null,
    stopSequences: [],
    choices: 1,
    logprobs: null,
    reasoning: null,
    outputFormat: { kind: 'text' },
    serviceTier: null,
    endUser: null,
    stream: false,
  });
  expect(notCarriedOf).toEqual([]);
});

test('every setting is read', () => {
  const conversation = read({
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: 9,
    max_completion_tokens: 7,
    temperature: 0.5,
    top_p: 0.9,
    top_k: 4,
    frequency_penalty: 1,
    presence_penalty: -1,
    seed: 3,
    stop: ['a', 'b'],
    n: 2,
    logprobs: true,
    top_logprobs: 5,
    reasoning_effort: 'high',
    service_tier: 'flex',
    user: 'u1',
    parallel_tool_calls: false,
    response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: { type: 'object' } } },
    modalities: ['text'],
    store: false,
  });
  expect(conversation).toMatchObject({
    stream: true,
    maxOutputTokens: 7,
    temperature: 0.5,
    topP: 0.9,
    topK: 4,
    frequencyPenalty: 1,
    presencePenalty: -1,
    seed: 3,
    stopSequences: ['a', 'b'],
    choices: 2,
    logprobs: 5,
    reasoning: { effort: 'high', budgetTokens: null, visible: null },
    serviceTier: 'flex',
    endUser: 'u1',
    parallelToolCalls: false,
    outputFormat: { kind: 'json_schema', name: 'answer', strict: true, schema: { type: 'object' } },
  });
  expect(notCarriedOf).toEqual([]);
  expect(read({ stop: 'end', logprobs: true, response_format: { type: 'json_object' } })).toMatchObject({
    stopSequences: ['end'],
    logprobs: 0,
    outputFormat: { kind: 'json' },
  });
});

test.each([
  [{ reasoning: { effort: 'low', exclude: true } }, { effort: 'low', budgetTokens: null, visible: false }],
  [{ reasoning: { max_tokens: 2000 } }, { effort: null, budgetTokens: 2000, visible: null }],
  [{ reasoning: { enabled: false } }, { effort: 'none', budgetTokens: null, visible: null }],
  [{ thinking: { type: 'enabled', budget_tokens: 1024 } }, { effort: null, budgetTokens: 1024, visible: null }],
  [
    { reasoning_effort: 'low', thinking: { type: 'disabled' } },
    { effort: 'none', budgetTokens: null, visible: null },
  ],
])('how much thinking is wanted, as any client says it: %j', (body, wish) => {
  expect(read(body).reasoning).toEqual(wish);
});

test('what no other dialect has is named once each place, and nothing else', () => {
  read({
    logit_bias: { 1: 2 },
    prediction: { type: 'content', content: 'x' },
    modalities: ['text', 'audio'],
    store: true,
    metadata: null,
    tools: [{ type: 'web_search' }, { type: 'function', function: { name: 'f', parameters: {}, extra: 1 } }],
    messages: [{ role: 'user', name: 'Bob', content: [{ type: 'text', text: 'x', annotations: [], other: 1 }] }],
  });
  expect(notCarriedOf.toSorted()).toEqual([
    'logit_bias',
    'messages[].content[].other',
    'messages[].name',
    'modalities',
    'prediction',
    'store',
    'tools[].function.extra',
    'tools[].web_search',
  ]);
});

test('instructions may stand anywhere, and results of neighboring calls are one turn', () => {
  const call = (id: string, given: string) => ({ id, type: 'function', function: { name: 'f', arguments: given } });
  expect(
    turnsOf(
      { role: 'system', content: 'be brief' },
      { role: 'developer', content: [{ type: 'text', text: 'be kind' }] },
      { role: 'user', content: '' },
      { role: 'assistant', content: null, tool_calls: [call('a', '{"n":1.0}'), call('b', '')] },
      { role: 'tool', tool_call_id: 'a', content: '1' },
      { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: '2' }], cache_control: { type: 'ephemeral' } },
      { role: 'user', content: 'and?' },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'no' },
          { type: 'refusal', refusal: 'never' },
        ],
        refusal: null,
      },
    ),
  ).toEqual([
    { role: 'instructions', parts: [text('be brief')] },
    { role: 'instructions', parts: [text('be kind')] },
    {
      role: 'assistant',
      parts: [
        { kind: 'tool_call', callId: 'a', name: 'f', input: '{"n":1.0}', signature: null, cache: null },
        { kind: 'tool_call', callId: 'b', name: 'f', input: '{}', signature: null, cache: null },
      ],
    },
    {
      role: 'user',
      parts: [
        { kind: 'tool_result', callId: 'a', toolName: null, parts: [text('1')], isError: false, cache: null },
        { kind: 'tool_result', callId: 'b', toolName: null, parts: [text('2')], isError: false, cache: { ttl: null } },
      ],
    },
    { role: 'user', parts: [text('and?')] },
    { role: 'assistant', parts: [text('no'), { kind: 'refusal', text: 'never' }] },
  ]);
});

test('calls as they were before there were tools', () => {
  const { turns, tools, toolChoice } = read({
    functions: [{ name: 'f', parameters: { type: 'object' } }],
    function_call: { name: 'f' },
    messages: [
      { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{"a":1}' } },
      { role: 'function', name: 'f', content: 'done' },
    ],
  });
  expect(tools).toEqual([{ name: 'f', description: null, parameters: { type: 'object' }, strict: null, cache: null }]);
  expect(toolChoice).toEqual({ kind: 'tool', name: 'f' });
  expect(turns).toEqual([
    { role: 'assistant', parts: [{ kind: 'tool_call', callId: 'call_0', name: 'f', input: '{"a":1}', signature: null, cache: null }] },
    {
      role: 'user',
      parts: [{ kind: 'tool_result', callId: 'call_0', toolName: 'f', parts: [text('done')], isError: false, cache: null }],
    },
  ]);
});

test('pictures, sounds and files, wherever their bytes are', () => {
  const parts = (...content: readonly object[]) => turnsOf({ role: 'user', content })[0]?.parts;
  expect(
    parts(
      { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD', detail: 'low' } },
      { type: 'image_url', image_url: 'https://a.example/b.jpg', cache_control: { type: 'ephemeral', ttl: '1h' } },
      { type: 'input_audio', input_audio: { data: 'QQ==', format: 'wav' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,QUJD' } },
      { type: 'file', file: { file_data: 'QUJD' } },
      { type: 'file', file: { file_id: 'file-1' } },
      { type: 'file', file: { file_id: 'https://a.example/c.pdf', format: 'application/pdf' } },
      { type: 'text', text: 'all', prompt_cache_breakpoint: { mode: 'explicit', ttl: '12h' } },
    ),
  ).toEqual([
    { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'QUJD' }, detail: 'low', cache: null },
    { kind: 'image', source: { kind: 'url', url: 'https://a.example/b.jpg', mediaType: null }, detail: null, cache: { ttl: '1h' } },
    { kind: 'audio', data: 'QQ==', format: 'wav' },
    { kind: 'document', source: { kind: 'base64', mediaType: 'application/pdf', data: 'QUJD' }, title: 'a.pdf', cache: null },
    { kind: 'document', source: { kind: 'base64', mediaType: 'application/pdf', data: 'QUJD' }, title: null, cache: null },
    { kind: 'document', source: { kind: 'file', id: 'file-1' }, title: null, cache: null },
    {
      kind: 'document',
      source: { kind: 'url', url: 'https://a.example/c.pdf', mediaType: 'application/pdf' },
      title: null,
      cache: null,
    },
    text('all', { ttl: null }),
  ]);
  expect(notCarriedOf).toEqual(['messages[].content[].prompt_cache_breakpoint.ttl']);
});

test.each<[string, unknown, unknown]>([
  ['a word', 'required', { kind: 'required' }],
  ['the word of Mistral', 'any', { kind: 'required' }],
  ['a function', { type: 'function', function: { name: 'b' } }, { kind: 'tool', name: 'b' }],
  ['nothing', null, null],
])('what is to be called is said by %s', (_how, toolChoice, choice) => {
  expect(read({ tool_choice: toolChoice }).toolChoice).toEqual(choice);
});

test('of the tools only those that are allowed are there', () => {
  const tools = ['a', 'b'].map((name) => ({ type: 'function', function: { name, parameters: { type: 'object' }, strict: true } }));
  const allowed = { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'b' } }] } };
  const read_ = read({ tools, tool_choice: allowed });
  expect([read_.tools.map(({ name }) => name), read_.toolChoice]).toEqual([['b'], { kind: 'required' }]);
});

test('thinking that is given back keeps what proves it', () => {
  const signed = [
    { type: 'thinking', thinking: 'hm', signature: 's1' },
    { type: 'redacted_thinking', data: 'xyz' },
  ];
  const call = {
    id: 'a',
    type: 'function',
    function: { name: 'f', arguments: '{}' },
    extra_content: { google: { thought_signature: 's2' } },
  };
  expect(turnsOf({ role: 'assistant', content: 'so', reasoning_content: 'm', thinking_blocks: signed, tool_calls: [call] })).toEqual([
    {
      role: 'assistant',
      parts: [
        { kind: 'thinking', text: 'hm', signature: 's1' },
        { kind: 'redacted_thinking', data: 'xyz' },
        text('so'),
        { kind: 'tool_call', callId: 'a', name: 'f', input: '{}', signature: 's2', cache: null },
      ],
    },
  ]);
  const details = [
    { type: 'reasoning.text', text: 'hm', signature: 's3', format: 'x', index: 0 },
    { type: 'reasoning.encrypted', data: 'abc' },
  ];
  expect(turnsOf({ role: 'assistant', content: '', reasoning: 'hm', reasoning_details: details })).toEqual([
    {
      role: 'assistant',
      parts: [
        { kind: 'thinking', text: 'hm', signature: 's3' },
        { kind: 'redacted_thinking', data: 'abc' },
      ],
    },
  ]);
  expect(turnsOf({ role: 'assistant', content: 'so', reasoning_content: 'hm' })[0]?.parts[0]).toEqual({
    kind: 'thinking',
    text: 'hm',
    signature: null,
  });
  expect(notCarriedOf).toEqual([]);
});

test.each<[object, string]>([
  [{ messages: [{ role: 'robot', content: 'x' }] }, 'messages[0].role'],
  [{ messages: [{ role: 'user', content: 7 }] }, 'messages[0].content'],
  [{ messages: [{ role: 'user', content: [{ type: 'video_url' }] }] }, 'messages[0].content[0].type'],
  [{ messages: [{ role: 'system', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] }, 'messages[0].content[0].type'],
  [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].tool_call_id'],
  [
    { messages: [{ role: 'assistant', tool_calls: [{ id: 'a', type: 'function', function: {} }] }] },
    'messages[0].tool_calls[0].function.name',
  ],
  [{ temperature: 'warm' }, 'temperature'],
  [{ tools: [{ type: 'function', function: { name: 'f', parameters: 'none' } }] }, 'tools[0].function.parameters'],
  [{ tool_choice: 'maybe' }, 'tool_choice'],
  [{ response_format: { type: 'xml' } }, 'response_format.type'],
  [{ stop: [1] }, 'stop'],
])('what cannot be understood is refused with its place: %j', (body, param) => {
  expect(() => read({ ...body })).toThrow(expect.objectContaining({ code: 'invalid_request', param }));
  expect(() => read({ ...body })).toThrow(GatewayError);
});
