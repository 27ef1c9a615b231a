import { expect, test } from 'vitest';
import { GatewayError } from '../../../../../schema/errors.ts';
import type { Conversation, UserPart } from '../../../../../services/proxy/conversation/conversation.ts';
import { writeRequest } from '../../../../../services/proxy/providers/bedrock/request.ts';
import { testConversation } from '../../../../harness/conversations.ts';

const NOVA = 'us.amazon.nova-2-lite-v1:0';
const CLAUDE = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';

function written(conversation: Partial<Conversation>, model = NOVA) {
  const notCarried: string[] = [];
  const { path, body } = writeRequest(testConversation(conversation), { upstreamModel: model, maxOutputTokens: 8_192 }, (field) =>
    notCarried.push(field),
  );
  return { path, text: body, body: JSON.parse(body), notCarried };
}

const text = (said: string) => ({ kind: 'text' as const, text: said, cache: null });
const base64 = (mediaType: string) => ({ kind: 'base64' as const, mediaType, data: 'AAAA' });

test('a plain conversation says nothing that was not asked for', () => {
  const { path, body } = written({ stream: true });
  expect(path).toBe('/model/us.amazon.nova-2-lite-v1%3A0/converse-stream');
  expect(body).toEqual({ messages: [{ role: 'user', content: [{ text: 'hello' }] }], inferenceConfig: {} });
});

test('turns alternate, marks are points of their own, and arguments keep their digits', () => {
  const said: Partial<Conversation> = {
    turns: [
      { role: 'instructions', parts: [{ ...text('Be brief.'), cache: { ttl: '1h' } }] },
      { role: 'user', parts: [text('one')] },
      { role: 'user', parts: [text(''), text('two')] },
      {
        role: 'assistant',
        parts: [
          { kind: 'thinking', text: 'hm', signature: 'signed' },
          { kind: 'redacted_thinking', data: 'opaque' },
          { kind: 'tool_call', callId: 'c1', name: 'f', input: '{"id":12345678901234567890}', signature: null, cache: null },
        ],
      },
      {
        role: 'user',
        parts: [
          {
            kind: 'tool_result',
            callId: 'c1',
            toolName: null,
            parts: [text('6'), { kind: 'image', source: base64('image/jpg'), detail: null, cache: null }],
            isError: true,
            cache: { ttl: null },
          },
        ],
      },
    ],
  };
  const { body, text: bytes } = written(said, CLAUDE);
  expect(body.system).toEqual([{ text: 'Be brief.' }, { cachePoint: { type: 'default', ttl: '1h' } }]);
  expect(body.messages).toMatchObject([
    { role: 'user', content: [{ text: 'one' }, { text: 'two' }] },
    {
      role: 'assistant',
      content: [
        { reasoningContent: { reasoningText: { text: 'hm', signature: 'signed' } } },
        { reasoningContent: { redactedContent: 'opaque' } },
        { toolUse: { toolUseId: 'c1', name: 'f' } },
      ],
    },
    {
      role: 'user',
      content: [
        {
          toolResult: {
            toolUseId: 'c1',
            status: 'error',
            content: [{ text: '6' }, { image: { format: 'jpeg', source: { bytes: 'AAAA' } } }],
          },
        },
        { cachePoint: { type: 'default' } },
      ],
    },
  ]);
  expect(bytes).toContain('"input":{"id":12345678901234567890}');
});

test('documents have names that Bedrock takes, none twice', () => {
  const pdf: UserPart = { kind: 'document', source: base64('application/pdf'), title: 'Q3_report: final.pdf', cache: null };
  const plain: UserPart = { kind: 'document', source: { kind: 'text', text: 'hi' }, title: null, cache: null };
  const { body } = written({ turns: [{ role: 'user', parts: [pdf, pdf, plain, text('compare')] }] });
  expect(body.messages[0].content).toEqual([
    { document: { format: 'pdf', source: { bytes: 'AAAA' }, name: 'Q3 report final pdf' } },
    { document: { format: 'pdf', source: { bytes: 'AAAA' }, name: 'Q3 report final pdf 2' } },
    { document: { format: 'txt', source: { bytes: 'aGk=' }, name: 'document' } },
    { text: 'compare' },
  ]);
});

test('tools, formats, tiers and thinking are where Converse has them', () => {
  const tool = { name: 'f', description: '', parameters: { properties: {} }, strict: true, cache: null };
  const schema = { type: 'object' };
  const { body } = written({
    tools: [tool],
    toolChoice: { kind: 'tool', name: 'f' },
    outputFormat: { kind: 'json_schema', name: 'answer', schema, strict: null },
    serviceTier: 'flex',
    reasoning: { effort: 'low', budgetTokens: null, visible: null },
    topK: 5,
    maxOutputTokens: 9,
    stopSequences: ['|'],
  });
  expect(body).toMatchObject({
    toolConfig: {
      tools: [{ toolSpec: { name: 'f', inputSchema: { json: { type: 'object' } }, strict: true } }],
      toolChoice: { tool: { name: 'f' } },
    },
    outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema: { name: 'answer', schema: JSON.stringify(schema) } } } },
    serviceTier: { type: 'flex' },
    inferenceConfig: { maxTokens: 9, stopSequences: ['|'] },
    additionalModelRequestFields: { inferenceConfig: { topK: 5 }, reasoningConfig: { type: 'enabled', maxReasoningEffort: 'low' } },
  });
});

test('Claude is asked to think as Anthropic asks it, within the limit of its answer', () => {
  const { body, notCarried } = written({ reasoning: { effort: null, budgetTokens: 2_000, visible: null }, temperature: 0.5 }, CLAUDE);
  expect(body).toMatchObject({
    inferenceConfig: { maxTokens: 8_192 },
    additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 2_000 } },
  });
  expect(notCarried).toEqual(['temperature']);
});

test('no tools are told where none may be called, unless calls were made', () => {
  const tools = [{ name: 'f', description: null, parameters: null, strict: null, cache: null }];
  expect(written({ tools, toolChoice: { kind: 'none' } }).body.toolConfig).toBeUndefined();
  const call = { kind: 'tool_call' as const, callId: 'c', name: 'f', input: '{}', signature: null, cache: null };
  const called = written({ tools, toolChoice: { kind: 'none' }, turns: [{ role: 'assistant', parts: [call] }] });
  expect([called.body.toolConfig.tools.length, called.notCarried]).toEqual([1, ['tool_choice']]);
});

test('what Converse has no place for is named, and a question without a part of it is refused', () => {
  const { notCarried } = written({
    choices: 2,
    seed: 1,
    logprobs: 0,
    presencePenalty: 1,
    parallelToolCalls: false,
    outputFormat: { kind: 'json' },
  });
  expect(notCarried.sort()).toEqual(['logprobs', 'n', 'parallel_tool_calls', 'presence_penalty', 'response_format', 'seed']);
  const parts: readonly UserPart[] = [
    { kind: 'image', source: { kind: 'url', url: 'https://example.org/a.png', mediaType: null }, detail: null, cache: null },
    { kind: 'image', source: base64('image/tiff'), detail: null, cache: null },
    { kind: 'document', source: { kind: 'file', id: 'file-1' }, title: null, cache: null },
  ];
  for (const part of parts) expect(() => written({ turns: [{ role: 'user', parts: [part] }] })).toThrow(GatewayError);
  const stored: UserPart = { kind: 'image', source: { kind: 'url', url: 's3://bucket/a.png', mediaType: null }, detail: null, cache: null };
  expect(written({ turns: [{ role: 'user', parts: [stored] }] }).body.messages[0].content[0]).toEqual({
    image: { format: 'png', source: { s3Location: { uri: 's3://bucket/a.png' } } },
  });
});

test('a mark is a point where the model takes one, and told where it would refuse the request', () => {
  const marked = { ...text('long'), cache: { ttl: '1h' as const } };
  const tools = [{ name: 'f', description: null, parameters: null, strict: null, cache: { ttl: null } }];
  const result: UserPart = { kind: 'tool_result', callId: 'c', toolName: null, parts: [marked], isError: false, cache: null };
  const turns: Conversation['turns'] = [
    { role: 'instructions', parts: [marked] },
    { role: 'user', parts: [marked] },
    { role: 'assistant', parts: [{ kind: 'tool_call', callId: 'c', name: 'f', input: '{}', signature: null, cache: null }] },
    { role: 'user', parts: [result, marked] },
  ];
  const pointsFor = (model: string) => {
    const { text: bytes, notCarried } = written({ turns, tools }, model);
    return [bytes.match(/"cachePoint":\{[^}]*\}/g) ?? [], [...new Set(notCarried)].sort()];
  };
  const [anHour, usual] = ['"cachePoint":{"type":"default","ttl":"1h"}', '"cachePoint":{"type":"default"}'];
  expect(pointsFor(CLAUDE)).toEqual([[anHour, anHour, anHour, usual], ['cache_control']]);
  expect(pointsFor(NOVA)).toEqual([
    [usual, usual],
    ['cache_control', 'cache_control.ttl'],
  ]);
  expect(pointsFor('meta.llama3-3-70b-instruct-v1:0')).toEqual([[], ['cache_control']]);
});

test('Nova thinks as much as it may: most of all without a limit and sampling, else less', () => {
  const high = { effort: 'xhigh', budgetTokens: null, visible: null };
  const unbound = written({ reasoning: high, temperature: 0.5, topP: 0.5, topK: 5 });
  expect(unbound.body).toMatchObject({
    inferenceConfig: {},
    additionalModelRequestFields: { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' } },
  });
  expect(unbound.body.additionalModelRequestFields.inferenceConfig).toBeUndefined();
  expect(unbound.notCarried.sort()).toEqual(['reasoning_effort', 'temperature', 'top_k', 'top_p']);
  const bound = written({ reasoning: { ...high, effort: 'high' }, temperature: 0.5, maxOutputTokens: 100 });
  expect(bound.body).toMatchObject({
    inferenceConfig: { temperature: 0.5, maxTokens: 100 },
    additionalModelRequestFields: { reasoningConfig: { maxReasoningEffort: 'medium' } },
  });
  expect(bound.notCarried).toEqual(['reasoning_effort']);
});

test('tools that were called are declared where the application declares none any more, which is told', () => {
  const call = { kind: 'tool_call' as const, callId: 'c', name: 'f', input: '{}', signature: null, cache: null };
  const { body, notCarried } = written({ turns: [{ role: 'assistant', parts: [call, { ...call, callId: 'd' }] }] });
  expect(body.toolConfig).toEqual({ tools: [{ toolSpec: { name: 'f', inputSchema: { json: { type: 'object', properties: {} } } } }] });
  expect(notCarried).toEqual(['tool_choice']);
});
