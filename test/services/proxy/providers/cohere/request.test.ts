import { expect, test } from 'vitest';
import { GatewayError } from '../../../../../schema/errors.ts';
import type { Conversation } from '../../../../../services/proxy/conversation/conversation.ts';
import { writeRequest } from '../../../../../services/proxy/providers/cohere/request.ts';
import { testConversation, testTarget } from '../../../../harness/conversations.ts';

const target = testTarget('command-a-03-2025');

function written(conversation: Partial<Conversation>): { body: Record<string, unknown>; notCarried: string[] } {
  const notCarried: string[] = [];
  const { path, body } = writeRequest(testConversation(conversation), target, (field) => notCarried.push(field));
  expect(path).toBe('/v2/chat');
  return { body: JSON.parse(body), notCarried };
}

const text = (said: string) => ({ kind: 'text' as const, text: said, cache: null });
const tool = (name: string, strict: boolean | null = null) => ({
  name,
  description: null,
  parameters: { type: 'object', properties: { a: { type: 'number' } } },
  strict,
  cache: null,
});

test('a plain conversation says nothing that was not asked for', () => {
  expect(written({}).body).toEqual({ model: 'command-a-03-2025', messages: [{ role: 'user', content: 'hello' }], stream: false });
});

test('calls, their results and what was planned before them go where Cohere has them', () => {
  const { body, notCarried } = written({
    turns: [
      { role: 'instructions', parts: [text('Be brief.'), text('Be kind.')] },
      {
        role: 'user',
        parts: [
          text('roll'),
          { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' }, detail: 'low', cache: null },
        ],
      },
      {
        role: 'assistant',
        parts: [
          { kind: 'thinking', text: 'hm', signature: null },
          text('I will roll.'),
          { kind: 'tool_call', callId: 'c1', name: 'roll', input: '{"id":12345678901234567890}', signature: null, cache: null },
        ],
      },
      {
        role: 'user',
        parts: [{ kind: 'tool_result', callId: 'c1', toolName: null, parts: [text('6')], isError: false, cache: null }, text('and now?')],
      },
    ],
    tools: [tool('roll', true)],
    toolChoice: { kind: 'required' },
  });
  expect(body).toMatchObject({
    messages: [
      {
        role: 'system',
        content: [
          { type: 'text', text: 'Be brief.' },
          { type: 'text', text: 'Be kind.' },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'roll' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
        ],
      },
      {
        role: 'assistant',
        content: [{ type: 'thinking', thinking: 'hm' }],
        tool_plan: 'I will roll.',
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'roll', arguments: '{"id":12345678901234567890}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: '6' },
      { role: 'user', content: 'and now?' },
    ],
    tool_choice: 'REQUIRED',
    strict_tools: true,
  });
  expect(notCarried).toEqual([]);
});

test('the one tool that has to be called is the only one that is told', () => {
  const { body } = written({ tools: [tool('one'), tool('two')], toolChoice: { kind: 'tool', name: 'two' } });
  expect(body).toMatchObject({ tool_choice: 'REQUIRED', tools: [{ function: { name: 'two' } }] });
});

test('sampling, formats and thinking have names of their own', () => {
  const schema = { type: 'object' };
  const asked = { topP: 1, topK: 40, maxOutputTokens: 9, stopSequences: ['|'], seed: 7, logprobs: 0, stream: true };
  const { body, notCarried } = written({
    ...asked,
    outputFormat: { kind: 'json_schema', name: 'x', schema, strict: true },
    reasoning: { effort: null, budgetTokens: 500, visible: null },
  });
  expect(body).toMatchObject({
    p: 0.99,
    k: 40,
    max_tokens: 9,
    stop_sequences: ['|'],
    seed: 7,
    logprobs: true,
    stream: true,
    response_format: { type: 'json_object', json_schema: schema },
    thinking: { type: 'enabled', token_budget: 500 },
  });
  expect(notCarried).toEqual([]);
  expect(written({ reasoning: { effort: 'none', budgetTokens: null, visible: null } }).body).toMatchObject({
    thinking: { type: 'disabled' },
  });
});

test('a text document stands beside the messages', () => {
  const document = {
    kind: 'document' as const,
    source: { kind: 'text' as const, text: 'Ruby is a gem.' },
    title: 'facts.txt',
    cache: null,
  };
  expect(written({ turns: [{ role: 'user', parts: [document, text('What is Ruby?')] }] }).body).toMatchObject({
    messages: [{ role: 'user', content: 'What is Ruby?' }],
    documents: [{ id: 'doc:0', data: { title: 'facts.txt', text: 'Ruby is a gem.' } }],
  });
});

test('what Cohere has no place for is named', () => {
  const { notCarried } = written({
    choices: 2,
    logprobs: 3,
    serviceTier: 'flex',
    parallelToolCalls: false,
    tools: [tool('one', true), tool('two')],
    reasoning: { effort: 'low', budgetTokens: null, visible: null },
  });
  expect(notCarried.sort()).toEqual([
    'n',
    'parallel_tool_calls',
    'reasoning_effort',
    'service_tier',
    'tools[].function.strict',
    'top_logprobs',
  ]);
});

test.each([
  { kind: 'audio' as const, data: 'AAAA', format: 'wav' },
  { kind: 'image' as const, source: { kind: 'file' as const, id: 'file-1' }, detail: null, cache: null },
  { kind: 'document' as const, source: { kind: 'base64' as const, mediaType: 'application/pdf', data: 'AAAA' }, title: null, cache: null },
])('a question with $kind that Cohere cannot be given is refused', (part) => {
  expect(() => written({ turns: [{ role: 'user', parts: [text('what is it?'), part] }] })).toThrow(GatewayError);
});

test('what lies beyond its bounds is brought within them, and told', () => {
  const { body, notCarried } = written({ frequencyPenalty: -0.5, presencePenalty: 1.5, stopSequences: ['1', '2', '3', '4', '5', '6'] });
  expect(body).toMatchObject({ frequency_penalty: 0, presence_penalty: 1, stop_sequences: ['1', '2', '3', '4', '5'] });
  expect(notCarried.sort()).toEqual(['frequency_penalty', 'presence_penalty', 'stop']);
});
