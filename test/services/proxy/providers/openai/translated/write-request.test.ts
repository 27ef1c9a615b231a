import { expect, test } from 'vitest';
import type { ProviderProtocol } from '../../../../../../schema/values/provider-protocol.ts';
import { readRequest } from '../../../../../../services/proxy/dialects/chat-completions/read-request.ts';
import type { ChatHabits } from '../../../../../../services/proxy/providers/openai/translated/chat-habits.ts';
import { HABITS } from '../../../../../../services/proxy/providers/openai/translated/habits-of-protocols.ts';
import { writeChatRequest } from '../../../../../../services/proxy/providers/openai/translated/write-request.ts';
import { testTarget } from '../../../../../harness/test-target.ts';

const OPENAI = 'https://api.openai.com/v1';
interface Written {
  readonly body: Readonly<Record<string, unknown>>;
  readonly notCarried: readonly string[];
}

function write(
  request: Readonly<Record<string, unknown>>,
  habits: ChatHabits = {},
  protocol: ProviderProtocol = 'openai',
  baseUrl?: string,
): Written {
  const notCarried: string[] = [];
  const conversation = readRequest({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...request }, () => expect.unreachable());
  const body = writeChatRequest(conversation, testTarget(protocol, baseUrl), habits, (field) => notCarried.push(field));
  return { body: JSON.parse(body), notCarried };
}
const messagesOf = (messages: readonly object[], habits: ChatHabits = {}) => write({ messages }, habits).body.messages;

const settings = {
  max_completion_tokens: 5,
  temperature: 0,
  top_p: 0.5,
  top_k: 3,
  frequency_penalty: 1,
  presence_penalty: 1,
  seed: 7,
  stop: ['x'],
  n: 2,
  logprobs: true,
  top_logprobs: 2,
  reasoning_effort: 'low',
  response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' }, strict: true } },
  service_tier: 'flex',
  user: 'u',
  stream: true,
};

test('OpenAI gets everything under its names, but not what it refuses', () => {
  const { body, notCarried } = write(settings, {}, 'openai', OPENAI);
  const { top_k: _, ...rest } = settings;
  expect(body).toEqual({ model: 'model', messages: [{ role: 'user', content: 'hi' }], ...rest, stream_options: { include_usage: true } });
  expect(notCarried).toEqual(['top_k']);
});

test('a server that is compatible gets the older name of the limit, and top_k', () => {
  const { body, notCarried } = write(settings);
  expect(body).toMatchObject({ max_tokens: 5, top_k: 3 });
  expect(body).not.toHaveProperty('max_completion_tokens');
  expect(notCarried).toEqual([]);
});

test('Mistral gets only what it knows, and ids of calls as it takes them', () => {
  const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } });
  const messages = [
    { role: 'assistant', reasoning_content: 'hm', content: 'so', tool_calls: [call('toolu_01AbcDefGhi'), call('abcDEF123')] },
    { role: 'tool', tool_call_id: 'toolu_01AbcDefGhi', content: '1' },
    { role: 'tool', tool_call_id: 'abcDEF123', content: '2' },
  ];
  const { body, notCarried } = write({ ...settings, messages }, HABITS.mistral, 'mistral');
  expect(body).toMatchObject({ max_tokens: 5, random_seed: 7, reasoning_effort: 'low', stream: true });
  for (const unknown of ['seed', 'stream_options', 'top_k', 'user', 'service_tier', 'logprobs', 'top_logprobs', 'max_completion_tokens']) {
    expect(body).not.toHaveProperty(unknown);
  }
  expect(notCarried).toEqual(['top_k', 'logprobs', 'top_logprobs', 'service_tier', 'user']);
  const id = expect.stringMatching(/^[a-zA-Z0-9]{9}$/);
  const [assistant, first, second] = body.messages as { tool_calls?: { id: string }[]; tool_call_id?: string; content: unknown }[];
  expect(assistant?.tool_calls?.map((made) => made.id)).toEqual([id, 'abcDEF123']);
  expect([first?.tool_call_id, second?.tool_call_id]).toEqual([assistant?.tool_calls?.[0]?.id, 'abcDEF123']);
  expect(assistant?.content).toEqual([
    { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
    { type: 'text', text: 'so' },
  ]);
});

test.each<[string, Partial<typeof settings> & object, object]>([
  ['deepseek', { reasoning_effort: 'high' }, { thinking: { type: 'enabled' }, reasoning_effort: 'high' }],
  ['deepseek', { reasoning_effort: 'none' }, { thinking: { type: 'disabled' } }],
  ['deepseek', { response_format: settings.response_format }, { response_format: { type: 'json_object' } }],
  ['openrouter', { thinking: { type: 'enabled', budget_tokens: 900 } } as object, { reasoning: { max_tokens: 900 } }],
  ['openrouter', { reasoning: { effort: 'low', exclude: true } } as object, { reasoning: { effort: 'low', exclude: true } }],
  ['groq', { thinking: { type: 'enabled', budget_tokens: 900 } } as object, { reasoning_effort: 'low' }],
  ['groq', { thinking: { type: 'enabled', budget_tokens: 8_000 } } as object, { reasoning_effort: 'medium' }],
  ['groq', { thinking: { type: 'enabled', budget_tokens: 30_000 } } as object, { reasoning_effort: 'high' }],
])('%s is told of %j in its own way', (protocol, request, body) => {
  expect(write(request, HABITS[protocol as ProviderProtocol] ?? {}, protocol as ProviderProtocol).body).toMatchObject(body);
});

test.each([
  ['openrouter', ['thinking.budget_tokens']],
  ['groq', ['thinking.budget_tokens']],
] as const)('%s is told an effort in place of a budget, which is told', (protocol, told) => {
  const budget = { thinking: { type: 'enabled', budget_tokens: 900 } };
  expect(write({ ...budget, reasoning_effort: 'low' }, HABITS[protocol], protocol).notCarried).toEqual(told);
  expect(write(budget, HABITS[protocol], protocol).notCarried).toEqual(protocol === 'openrouter' ? [] : told);
});

test('thinking goes back to who can take it, and is told of where nobody can', () => {
  const blocks = [
    { type: 'thinking', thinking: 'hm', signature: 's' },
    { type: 'redacted_thinking', data: 'x' },
  ];
  const messages = [{ role: 'assistant', content: 'so', thinking_blocks: blocks }];
  expect(messagesOf(messages, HABITS.deepseek)).toEqual([{ role: 'assistant', content: 'so', reasoning_content: 'hm' }]);
  expect(messagesOf(messages, HABITS.openrouter)).toEqual([
    {
      role: 'assistant',
      content: 'so',
      reasoning_details: [
        { type: 'reasoning.text', text: 'hm', signature: 's' },
        { type: 'reasoning.encrypted', data: 'x' },
      ],
    },
  ]);
  expect(write({ messages }).notCarried).toEqual(['thinking']);
});

test('marks of a cache go to OpenRouter, and are told of elsewhere', () => {
  const mark = { type: 'ephemeral', ttl: '1h' };
  const request = {
    messages: [{ role: 'system', content: [{ type: 'text', text: 'long', cache_control: mark }] }],
    tools: [{ type: 'function', function: { name: 'f' }, cache_control: { type: 'ephemeral' } }],
  };
  expect(write(request, HABITS.openrouter).body).toMatchObject({
    messages: [{ role: 'system', content: [{ type: 'text', text: 'long', cache_control: mark }] }],
    tools: [{ type: 'function', function: { name: 'f' }, cache_control: { type: 'ephemeral' } }],
  });
  const plain = write(request);
  expect(plain.body).toMatchObject({
    messages: [{ role: 'system', content: 'long' }],
    tools: [{ type: 'function', function: { name: 'f' } }],
  });
  expect(new Set(plain.notCarried)).toEqual(new Set(['cache_control']));
});

test('a picture in the result of a tool is said by the user after it, since a result is text', () => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } };
  expect(
    messagesOf([
      { role: 'tool', tool_call_id: 'a', content: [{ type: 'text', text: 'see' }, image] },
      { role: 'tool', tool_call_id: 'b', content: '' },
    ]),
  ).toEqual([
    { role: 'tool', tool_call_id: 'a', content: 'see' },
    { role: 'tool', tool_call_id: 'b', content: '' },
    { role: 'user', content: [image] },
  ]);
});

test('what has no place and would change the meaning is refused', () => {
  const file = { type: 'file', file: { file_id: 'https://a.example/b.pdf' } };
  expect(() => messagesOf([{ role: 'user', content: [file] }])).toThrow(
    expect.objectContaining({ code: 'invalid_request', param: 'messages' }),
  );
});
