import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../../../schema/errors.ts';
import type { Conversation, Tool } from '../../../../../services/proxy/conversation/conversation.ts';
import { anthropicDialect } from '../../../../../services/proxy/providers/anthropic/anthropic-dialect.ts';
import { testConversation, testTarget } from '../../../../harness/conversations.ts';

interface Written {
  readonly body: Record<string, unknown>;
  readonly text: string;
  readonly notCarried: readonly string[];
}

function write(fields: Partial<Conversation>, upstreamModel = 'claude-sonnet-4-5', maxOutputTokens: number | null = 64_000): Written {
  const notCarried: string[] = [];
  const target = testTarget(upstreamModel, { maxOutputTokens });
  const { path, headers, body } = anthropicDialect.writeRequest(testConversation(fields), target, (field) => notCarried.push(field));
  expect([path, headers]).toEqual(['/v1/messages', ['anthropic-version', '2023-06-01']]);
  return { body: JSON.parse(body), text: body, notCarried };
}

const text = (said: string) => ({ kind: 'text' as const, text: said, cache: null });
const tool: Tool = { name: 'look', description: 'looks', parameters: { type: 'object', properties: {} }, strict: null, cache: null };
const high = { effort: 'high', budgetTokens: null, visible: null };

test('a plain request says no more than it has to', () => {
  expect(write({}).body).toEqual({
    model: 'claude-sonnet-4-5',
    max_tokens: 64_000,
    messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }],
  });
});

test('the limit of the answer is that asked for, else that of the model, else one that every model takes', () => {
  expect(write({ maxOutputTokens: 7 }).body.max_tokens).toBe(7);
  expect(write({}, 'claude-3-haiku-20240307', 4_096).body.max_tokens).toBe(4_096);
  expect(write({}, 'claude-new', null).body.max_tokens).toBe(4_096);
});

describe('turns', () => {
  test('alternate; instructions before them are the system, later ones are said by the user, which is told', () => {
    const { body, notCarried } = write({
      turns: [
        { role: 'instructions', parts: [{ ...text('be brief'), cache: { ttl: '1h' } }] },
        { role: 'user', parts: [text('one')] },
        { role: 'user', parts: [text('two')] },
        { role: 'assistant', parts: [text('three')] },
        { role: 'instructions', parts: [text('be briefer')] },
        { role: 'user', parts: [text('four'), text('  ')] },
      ],
    });
    expect(body.system).toEqual([{ type: 'text', text: 'be brief', cache_control: { type: 'ephemeral', ttl: '1h' } }]);
    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'one' },
          { type: 'text', text: 'two' },
        ],
      },
      { role: 'assistant', content: [{ type: 'text', text: 'three' }] },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'be briefer' },
          { type: 'text', text: 'four' },
        ],
      },
    ]);
    expect(notCarried).toEqual(['messages[].role']);
  });

  test('of instructions alone are said by the user', () => {
    const { body } = write({
      turns: [
        { role: 'instructions', parts: [text('a')] },
        { role: 'instructions', parts: [text('b')] },
      ],
    });
    expect([body.system, body.messages]).toEqual([
      [{ type: 'text', text: 'a' }],
      [{ role: 'user', content: [{ type: 'text', text: 'b' }] }],
    ]);
  });

  test('have calls with their digits and their results first, ids in the letters that are taken', () => {
    const {
      body,
      text: written,
      notCarried,
    } = write({
      turns: [
        {
          role: 'assistant',
          parts: [
            {
              kind: 'tool_call',
              callId: 'functions.look:0',
              name: 'look',
              input: '{"id":12345678901234567890}',
              signature: 'gemini',
              cache: null,
            },
          ],
        },
        { role: 'user', parts: [text('and?')] },
        {
          role: 'user',
          parts: [
            {
              kind: 'tool_result',
              callId: 'functions.look:0',
              toolName: null,
              parts: [
                text('seen'),
                { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'aaaa' }, detail: 'high', cache: null },
              ],
              isError: true,
              cache: { ttl: null },
            },
          ],
        },
      ],
    });
    expect(written).toContain('"input":{"id":12345678901234567890}');
    expect(body.messages).toMatchObject([
      { role: 'assistant', content: [{ type: 'tool_use', id: 'functions_look_0', name: 'look' }] },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 'functions_look_0',
            content: [
              { type: 'text', text: 'seen' },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aaaa' } },
            ],
            is_error: true,
            cache_control: { type: 'ephemeral' },
          },
          { type: 'text', text: 'and?' },
        ],
      },
    ]);
    expect(notCarried).toEqual(['messages[].tool_calls[].signature', 'messages[].content[].image_url.detail']);
  });

  test('have arguments that are no object as a text, since nothing else is taken', () => {
    const call = { kind: 'tool_call' as const, callId: 'a', name: 'look', input: '{"cut', signature: null, cache: null };
    const { body, notCarried } = write({ turns: [{ role: 'assistant', parts: [call] }] });
    expect(body.messages).toMatchObject([{ content: [{ input: { arguments: '{"cut' } }] }]);
    expect(notCarried).toEqual(['messages[].tool_calls[].function.arguments']);
  });

  test('have thinking with its proof, and without it not', () => {
    const { body, notCarried } = write({
      turns: [
        {
          role: 'assistant',
          parts: [
            { kind: 'thinking', text: 'hm', signature: 'sig' },
            { kind: 'redacted_thinking', data: 'x' },
            { kind: 'thinking', text: 'bare', signature: null },
            { kind: 'refusal', text: 'no' },
          ],
        },
      ],
    });
    expect(body.messages).toEqual([
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 'sig' },
          { type: 'redacted_thinking', data: 'x' },
          { type: 'text', text: 'no' },
        ],
      },
    ]);
    expect(notCarried).toEqual(['messages[].thinking']);
  });

  test('have pictures and documents from wherever they are; a sound is refused', () => {
    const document = (source: object) => ({ kind: 'document' as const, source, title: 'T', cache: null });
    const parts = [
      { kind: 'image', source: { kind: 'url', url: 'https://a.test/i.png', mediaType: null }, detail: 'auto', cache: null },
      document({ kind: 'base64', mediaType: 'application/pdf', data: 'aaaa' }),
      document({ kind: 'base64', mediaType: 'text/csv', data: Buffer.from('a,b').toString('base64') }),
      document({ kind: 'text', text: 'plain' }),
      document({ kind: 'file', id: 'file_1' }),
    ];
    const turns = [{ role: 'user', parts }] as unknown as Conversation['turns'];
    expect(write({ turns }).body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'url', url: 'https://a.test/i.png' } },
          { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'aaaa' }, title: 'T' },
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a,b' }, title: 'T' },
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'plain' }, title: 'T' },
          { type: 'document', source: { type: 'file', file_id: 'file_1' }, title: 'T' },
        ],
      },
    ]);
    expect(() => write({ turns: [{ role: 'user', parts: [{ kind: 'audio', data: 'aaaa', format: 'wav' }] }] })).toThrow(GatewayError);
  });
});

describe('tools', () => {
  test('have a schema of an object, and are bound to it where the model can be', () => {
    const tools = [
      { ...tool, strict: true, cache: { ttl: null } },
      { ...tool, description: null, parameters: null },
    ];
    expect(write({ tools }).body.tools).toEqual([
      { name: 'look', description: 'looks', input_schema: tool.parameters, strict: true, cache_control: { type: 'ephemeral' } },
      { name: 'look', input_schema: { type: 'object', properties: {} } },
    ]);
    expect(write({ tools }, 'claude-3-haiku-20240307').notCarried).toEqual(['tools[].function.strict']);
  });

  test.each([
    [{ kind: 'auto' }, null, { type: 'auto' }],
    [{ kind: 'auto' }, false, { type: 'auto', disable_parallel_tool_use: true }],
    [{ kind: 'required' }, false, { type: 'any', disable_parallel_tool_use: true }],
    [{ kind: 'tool', name: 'look' }, true, { type: 'tool', name: 'look' }],
    [{ kind: 'none' }, false, { type: 'none' }],
    [null, false, { type: 'auto', disable_parallel_tool_use: true }],
    [null, true, undefined],
  ] as const)('are chosen: %o, in parallel: %s', (toolChoice, parallelToolCalls, expected) => {
    expect(write({ tools: [tool], toolChoice, parallelToolCalls }).body.tool_choice).toEqual(expected);
  });

  test('that are not there are not chosen', () => {
    expect(write({ toolChoice: { kind: 'required' } })).toMatchObject({ notCarried: ['tool_choice'] });
    expect(write({ toolChoice: { kind: 'auto' } })).toMatchObject({ notCarried: [] });
  });
});

describe('thinking', () => {
  test('has a budget where the model wants one, at most half of the answer', () => {
    expect(write({ reasoning: high }).body.thinking).toEqual({ type: 'enabled', budget_tokens: 16_384 });
    expect(write({ reasoning: high, maxOutputTokens: 10_000 }).body.thinking).toEqual({ type: 'enabled', budget_tokens: 5_000 });
    expect(write({ reasoning: { effort: null, budgetTokens: 9_000, visible: true }, maxOutputTokens: 10_000 }).body.thinking).toEqual({
      type: 'enabled',
      budget_tokens: 9_000,
      display: 'summarized',
    });
    expect(write({ reasoning: high, maxOutputTokens: 2_000 })).toMatchObject({ notCarried: ['reasoning_effort'] });
  });

  test('is adaptive with an effort where the model decides', () => {
    const { body } = write({ reasoning: high }, 'claude-opus-4-7');
    expect([body.thinking, body.output_config]).toEqual([{ type: 'adaptive' }, { effort: 'high' }]);
    const budgeted = write({ reasoning: { effort: null, budgetTokens: 2_000, visible: false } }, 'claude-opus-5');
    expect([budgeted.body.thinking, budgeted.notCarried]).toEqual([{ type: 'adaptive', display: 'omitted' }, ['thinking.budget_tokens']]);
    expect(write({ reasoning: { ...high, effort: 'xhigh' } }, 'claude-sonnet-4-6')).toMatchObject({
      body: { output_config: { effort: 'high' } },
      notCarried: ['reasoning_effort'],
    });
  });

  test('is turned off only where it is on unasked', () => {
    const off = { effort: 'none', budgetTokens: null, visible: null };
    expect(write({ reasoning: off }).body.thinking).toBeUndefined();
    expect(write({ reasoning: off }, 'claude-sonnet-5').body.thinking).toEqual({ type: 'disabled' });
    expect(write({ reasoning: off }, 'claude-fable-5')).toMatchObject({ notCarried: ['reasoning_effort'] });
  });

  test('is left out, and told, where a tool has to be called, where a call was not thought about, or the model cannot', () => {
    expect(write({ reasoning: high, tools: [tool], toolChoice: { kind: 'required' } }).notCarried).toEqual(['reasoning_effort']);
    const call = { kind: 'tool_call' as const, callId: 'a', name: 'look', input: '{}', signature: null, cache: null };
    expect(write({ reasoning: high, turns: [{ role: 'assistant', parts: [call] }] }).notCarried).toEqual(['reasoning_effort']);
    const thought = { kind: 'thinking' as const, text: '', signature: 's' };
    const thoughtAbout = write({
      reasoning: { ...high, effort: null, budgetTokens: 2_000 },
      turns: [{ role: 'assistant', parts: [thought, call] }],
    });
    expect(thoughtAbout.notCarried).toEqual([]);
    expect(write({ reasoning: high }, 'claude-3-opus-20240229', 4_096).notCarried).toEqual(['reasoning_effort']);
  });
});

test('a budget in place of an effort is told: it is about as much', () => {
  expect(write({ reasoning: high })).toMatchObject({ body: { thinking: { type: 'enabled' } }, notCarried: ['reasoning_effort'] });
});

describe('sampling', () => {
  test('has one of temperature and top_p, and no temperature above 1', () => {
    expect(write({ temperature: 0.5, topP: 0.9, topK: 3 })).toMatchObject({ body: { temperature: 0.5, top_k: 3 }, notCarried: ['top_p'] });
    expect(write({ temperature: 1.5 })).toMatchObject({ body: { temperature: 1 }, notCarried: ['temperature'] });
    expect(write({ topP: 0.9 })).toMatchObject({ body: { top_p: 0.9 }, notCarried: [] });
  });

  test('is told where the model takes none of it, or thinks; what is its default says nothing', () => {
    const sampled = { temperature: 0.5, topP: 0.9, topK: 3 };
    expect(write(sampled, 'claude-opus-4-7').notCarried).toEqual(['temperature', 'top_p', 'top_k']);
    expect(write({ ...sampled, reasoning: { ...high, effort: null, budgetTokens: 2_000 } }).notCarried).toEqual([
      'temperature',
      'top_p',
      'top_k',
    ]);
    expect(write({ temperature: 1, topP: 1 }, 'claude-opus-4-7').notCarried).toEqual([]);
  });
});

test('an answer is bound to a schema where the model can be', () => {
  const outputFormat = { kind: 'json_schema' as const, name: 'city', schema: { type: 'object' }, strict: true };
  expect(write({ outputFormat }).body.output_config).toEqual({ format: { type: 'json_schema', schema: { type: 'object' } } });
  expect(write({ outputFormat }, 'claude-sonnet-4-20250514').notCarried).toEqual(['response_format']);
  expect(write({ outputFormat: { kind: 'json' } }).notCarried).toEqual(['response_format']);
});

test('what is left has its name there, or is told', () => {
  const { body, notCarried } = write({
    stopSequences: ['END', '\n'],
    serviceTier: 'default',
    endUser: 'u-1',
    stream: true,
    choices: 2,
    logprobs: 0,
    seed: 7,
    frequencyPenalty: 0.1,
    presencePenalty: 0,
  });
  expect(body).toMatchObject({ stop_sequences: ['END'], service_tier: 'standard_only', metadata: { user_id: 'u-1' }, stream: true });
  expect(notCarried).toEqual(['stop', 'n', 'logprobs', 'seed', 'frequency_penalty']);
  expect(write({ serviceTier: 'flex' }).notCarried).toEqual(['service_tier']);
});
