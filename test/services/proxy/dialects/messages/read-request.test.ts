import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../../../schema/errors.ts';
import type { Conversation } from '../../../../../services/proxy/conversation/conversation.ts';
import { messagesDialect } from '../../../../../services/proxy/dialects/messages/messages-dialect.ts';

function read(fields: object): { readonly conversation: Conversation; readonly notCarried: readonly string[] } {
  const notCarried: string[] = [];
  const bytes = Buffer.from(JSON.stringify({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'hello' }], ...fields }));
  const conversation = messagesDialect.readRequest(JSON.parse(bytes.toString('utf8')), (field) => notCarried.push(field), bytes);
  return { conversation, notCarried };
}

const content = (role: string, ...blocks: readonly object[]) => ({ messages: [{ role, content: blocks }] });

test('a plain request is one turn of the user', () => {
  const { conversation, notCarried } = read({});
  expect(conversation).toMatchObject({
    turns: [{ role: 'user', parts: [{ kind: 'text', text: 'hello' }] }],
    maxOutputTokens: 9,
    choices: 1,
  });
  expect(notCarried).toEqual([]);
});

test('instructions stand before the conversation, and inside of it', () => {
  const { conversation } = read({
    system: 'one',
    messages: [
      { role: 'user', content: 'a' },
      { role: 'system', content: 'two' },
    ],
  });
  expect(conversation.turns.map(({ role, parts }) => [role, parts.length])).toEqual([
    ['instructions', 1],
    ['user', 1],
    ['instructions', 1],
  ]);
});

describe('what only Anthropic has', () => {
  test('is named: its own tools, what they left in the conversation, containers, servers', () => {
    const { conversation, notCarried } = read({
      tools: [
        { type: 'web_search_20260318', name: 'web_search' },
        { name: 'mine', input_schema: { type: 'object' }, input_examples: [{}] },
      ],
      messages: [
        { role: 'user', content: 'hello' },
        {
          role: 'assistant',
          content: [
            { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
            { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
            { type: 'text', text: 'found', citations: [{ type: 'char_location' }] },
          ],
        },
      ],
      mcp_servers: [{ name: 'x' }],
      container: 'c',
      speed: 'fast',
    });
    expect(notCarried).toEqual([
      'messages[].content[].server_tool_use',
      'messages[].content[].web_search_tool_result',
      'tools[].web_search_20260318',
      'mcp_servers',
      'container',
      'speed',
      'tools[].input_examples',
    ]);
    expect(conversation.tools.map(({ name }) => name)).toEqual(['mine']);
    expect(conversation.turns.at(-1)?.parts).toEqual([{ kind: 'text', text: 'found', cache: null }]);
  });

  test('is taken for what is nearest: search results, documents of several blocks', () => {
    const { conversation, notCarried } = read(
      content(
        'user',
        {
          type: 'search_result',
          source: 'https://a.test',
          title: 'T',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'c' }] }, citations: { enabled: true } },
      ),
    );
    expect(conversation.turns[0]?.parts).toMatchObject([
      { kind: 'document', source: { kind: 'text', text: 'a\nb' }, title: 'T' },
      { kind: 'document', source: { kind: 'text', text: 'c' } },
    ]);
    expect(notCarried).toEqual(['messages[].content[].source', 'messages[].content[].citations']);
  });
});

test('thinking is a wish, by a budget or an effort', () => {
  expect(read({ thinking: { type: 'enabled', budget_tokens: 2_000 } }).conversation.reasoning).toEqual({
    effort: null,
    budgetTokens: 2_000,
    visible: null,
  });
  expect(read({ thinking: { type: 'adaptive', display: 'omitted' }, output_config: { effort: 'max' } }).conversation.reasoning).toEqual({
    effort: 'xhigh',
    budgetTokens: null,
    visible: false,
  });
  expect(read({ thinking: { type: 'disabled' } }).conversation.reasoning).toMatchObject({ effort: 'none' });
  expect(read({}).conversation.reasoning).toBeNull();
});

test('thinking that nobody signed has no signature, as this gateway wrote it', () => {
  const { conversation } = read(content('assistant', { type: 'thinking', thinking: 'hm', signature: '' }));
  expect(conversation.turns[0]?.parts).toEqual([{ kind: 'thinking', text: 'hm', signature: null }]);
});

test('a schema is asked for by either of its names', () => {
  const format = { type: 'json_schema', schema: { type: 'object' } };
  const expected = { kind: 'json_schema', schema: { type: 'object' } };
  expect(read({ output_config: { format } }).conversation.outputFormat).toMatchObject(expected);
  expect(read({ output_format: format }).conversation.outputFormat).toMatchObject(expected);
});

test.each([
  ['messages[0].role', { messages: [{ role: 'tool', content: 'x' }] }],
  ['messages[0].content', { messages: [{ role: 'user', content: 7 }] }],
  ['messages[0].content[0].type', content('user', { type: 'hologram' })],
  ['messages[0].content[0].source.type', content('user', { type: 'image', source: { type: 'tape' } })],
  [
    'messages[0].content[0].cache_control.ttl',
    content('user', { type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: '2h' } }),
  ],
  ['tools[0].name', { tools: [{ input_schema: {} }] }],
  ['tool_choice.type', { tool_choice: { type: 'some' } }],
  ['stop_sequences', { stop_sequences: [1] }],
])('what cannot be understood is refused with its place: %s', (param, fields) => {
  let refusal: unknown = null;
  try {
    read(fields);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(GatewayError);
  expect(refusal).toMatchObject({ code: 'invalid_request', param });
});
