import { describe, expect, test } from 'vitest';
import type { AssistantPart, Conversation, Tool, ToolResultPart, Turn } from '../../../../../services/proxy/conversation/conversation.ts';
import { geminiDialect } from '../../../../../services/proxy/providers/gemini/gemini-dialect.ts';
import { testConversation, testTarget } from '../../../../harness/conversations.ts';

function written(fields: Partial<Conversation>, model = 'gemini-3-flash-preview') {
  const notCarried: string[] = [];
  const { path, body } = geminiDialect.writeRequest(testConversation(fields), testTarget(model), (field) => notCarried.push(field));
  return { path, body, value: JSON.parse(body), notCarried };
}

const text = (words: string) => ({ kind: 'text' as const, text: words, cache: null });
const says = (words: string): Turn => ({ role: 'user', parts: [text(words)] });
const instructs = (words: string): Turn => ({ role: 'instructions', parts: [text(words)] });
const answers = (...parts: AssistantPart[]): Turn => ({ role: 'assistant', parts });
const call = (callId: string, name: string, input = '{}', signature: string | null = null): AssistantPart => ({
  kind: 'tool_call',
  callId,
  name,
  input,
  signature,
  cache: null,
});
const result = (callId: string, parts: ToolResultPart['parts'], isError = false): ToolResultPart => ({
  kind: 'tool_result',
  callId,
  toolName: null,
  parts,
  isError,
  cache: null,
});
const picture = {
  kind: 'image' as const,
  source: { kind: 'base64' as const, mediaType: 'image/png', data: 'AAAA' },
  detail: null,
  cache: null,
};
const tool: Tool = { name: 'f', description: null, parameters: { type: 'object', properties: {} }, strict: null, cache: null };

test('the model and the way of answering stand in the path', () => {
  expect(written({}).path).toBe('/models/gemini-3-flash-preview:generateContent');
  expect(written({ stream: true }, 'tuned models/a').path).toBe('/models/tuned%20models/a:streamGenerateContent?alt=sse');
});

describe('turns', () => {
  test('what instructs before all else is the system instruction, later it is said by the user and told', () => {
    const { value, notCarried } = written({
      turns: [instructs('Be brief.'), instructs('Be kind.'), says('Hi'), instructs('Now in French.')],
    });
    expect(value.systemInstruction).toEqual({ parts: [{ text: 'Be brief.' }, { text: 'Be kind.' }] });
    expect(value.contents).toEqual([{ role: 'user', parts: [{ text: 'Hi' }, { text: 'Now in French.' }] }]);
    expect(notCarried).toEqual(['messages[].role']);
  });

  test('instructions alone are said by the user', () => {
    const { value } = written({ turns: [instructs('Say hello.')] });
    expect([value.systemInstruction, value.contents]).toEqual([undefined, [{ role: 'user', parts: [{ text: 'Say hello.' }] }]]);
  });

  test('a result names the function of its call, apart from what is said with it', () => {
    const turns: Turn[] = [
      says('Go'),
      answers(call('c1', 'add', '{"a":12345678901234567890}', 'sig'), call('c2', 'sub')),
      { role: 'user', parts: [result('c1', [text('5')]), result('c2', [text('no')], true), text('And?')] },
    ];
    const { value, body } = written({ turns });
    expect(body).toContain('"args":{"a":12345678901234567890}');
    expect(value.contents.slice(1).map(({ role }: { role: string }) => role)).toEqual(['model', 'user', 'user']);
    expect(value.contents[1].parts[0].thoughtSignature).toBe('sig');
    expect(value.contents[1].parts[1]).toEqual({ functionCall: { id: 'c2', name: 'sub', args: {} } });
    expect(value.contents[2].parts).toEqual([
      { functionResponse: { id: 'c1', name: 'add', response: { output: '5' } } },
      { functionResponse: { id: 'c2', name: 'sub', response: { error: 'no' } } },
    ]);
    expect(value.contents[3].parts).toEqual([{ text: 'And?' }]);
  });

  test('a result of a call that nobody made is refused', () => {
    const turns: Turn[] = [says('Go'), { role: 'user', parts: [result('c9', [text('5')])] }];
    expect(() => written({ turns })).toThrow("No call has the id 'c9'");
  });

  test('a picture in a result is part of it from the third generation on, before it is said after it', () => {
    const turns: Turn[] = [says('Go'), answers(call('c1', 'see')), { role: 'user', parts: [result('c1', [picture])] }];
    const inline = { inlineData: { mimeType: 'image/png', data: 'AAAA' } };
    expect(written({ turns }).value.contents[2].parts[0].functionResponse.parts).toEqual([inline]);
    const older = written({ turns }, 'gemini-2.5-flash').value.contents;
    expect(older[2].parts[0].functionResponse).toEqual({ id: 'c1', name: 'see', response: { output: '' } });
    expect(older[3]).toEqual({ role: 'user', parts: [inline] });
  });

  test('the proof of thinking goes with what came after it', () => {
    const thinking = { kind: 'thinking' as const, text: 'Hm.', signature: 'proof' };
    const thought = { text: 'Hm.', thought: true };
    expect(written({ turns: [says('Go'), answers(thinking, text('So.'))] }).value.contents[1].parts).toEqual([
      thought,
      { text: 'So.', thoughtSignature: 'proof' },
    ]);
    const called = written({ turns: [says('Go'), answers(thinking, call('c1', 'f'), call('c2', 'f'))] }).value.contents[1].parts;
    expect(called.map((part: { thoughtSignature?: string }) => part.thoughtSignature)).toEqual([undefined, 'proof', undefined]);
  });

  test('a call without proof says so to models that want one, once a turn, and to no other', () => {
    const turns = [says('Go'), answers(call('c1', 'f'), call('c2', 'f'))];
    const proofs = (model: string) =>
      written({ turns }, model).value.contents[1].parts.map((part: { thoughtSignature?: string }) => part.thoughtSignature);
    expect(proofs('gemini-3.1-pro-preview')).toEqual(['skip_thought_signature_validator', undefined]);
    expect(proofs('gemini-flash-latest')).toEqual(['skip_thought_signature_validator', undefined]);
    expect(proofs('gemini-2.5-pro')).toEqual([undefined, undefined]);
  });

  test('media go as bytes or by address; a file of another provider is refused', () => {
    const at = (url: string) => ({ ...picture, source: { kind: 'url' as const, url, mediaType: null } });
    const parts = [
      at('https://a.example/b.png?x=1'),
      { kind: 'audio' as const, data: 'BBBB', format: 'wav' },
      { kind: 'document' as const, source: { kind: 'text' as const, text: 'Notes' }, title: null, cache: null },
    ];
    expect(written({ turns: [{ role: 'user', parts }] }).value.contents[0].parts).toEqual([
      { fileData: { mimeType: 'image/png', fileUri: 'https://a.example/b.png?x=1' } },
      { inlineData: { mimeType: 'audio/wav', data: 'BBBB' } },
      { text: 'Notes' },
    ]);
    const elsewhere = { ...picture, source: { kind: 'file' as const, id: 'file-abc' } };
    expect(() => written({ turns: [{ role: 'user', parts: [elsewhere] }] })).toThrow('is not at Google');
  });
});

describe('tools', () => {
  test.each<[choice: Conversation['toolChoice'], config: object | undefined]>([
    [null, undefined],
    [{ kind: 'auto' }, { mode: 'AUTO' }],
    [{ kind: 'none' }, { mode: 'NONE' }],
    [{ kind: 'required' }, { mode: 'ANY' }],
    [
      { kind: 'tool', name: 'f' },
      { mode: 'ANY', allowedFunctionNames: ['f'] },
    ],
  ])('the choice %j', (toolChoice, config) => {
    const { value } = written({ tools: [tool], toolChoice });
    expect(value.tools).toEqual([{ functionDeclarations: [{ name: 'f', description: '', parametersJsonSchema: tool.parameters }] }]);
    expect(value.toolConfig?.functionCallingConfig).toEqual(config);
  });

  test('a strict one is validated', () => {
    expect(written({ tools: [{ ...tool, strict: true }] }).value.toolConfig.functionCallingConfig).toEqual({ mode: 'VALIDATED' });
  });
});

test('what is asked of the generation has its place in the configuration', () => {
  const { value, notCarried } = written({
    maxOutputTokens: 10,
    temperature: 0,
    topP: 0.5,
    topK: 3,
    frequencyPenalty: 0.1,
    presencePenalty: 0.2,
    seed: 7,
    stopSequences: ['x'],
    choices: 2,
    logprobs: 3,
    outputFormat: { kind: 'json_schema', name: 'a', schema: { type: 'object' }, strict: true },
    serviceTier: 'flex',
  });
  expect(value.generationConfig).toEqual({
    maxOutputTokens: 10,
    temperature: 0,
    topP: 0.5,
    topK: 3,
    frequencyPenalty: 0.1,
    presencePenalty: 0.2,
    seed: 7,
    stopSequences: ['x'],
    candidateCount: 2,
    responseLogprobs: true,
    logprobs: 3,
    responseMimeType: 'application/json',
    responseJsonSchema: { type: 'object' },
  });
  expect([value.serviceTier, notCarried]).toEqual(['flex', []]);
});

test('what Google has no place for is told', () => {
  const { value, notCarried } = written({
    tools: [tool],
    parallelToolCalls: false,
    seed: 2 ** 40,
    stopSequences: ['1', '2', '3', '4', '5', '6'],
    endUser: 'u',
    serviceTier: 'scale',
    turns: [
      {
        role: 'user',
        parts: [
          { ...text('Hi'), cache: { ttl: null } },
          { ...picture, detail: 'low' },
        ],
      },
    ],
  });
  expect(notCarried.toSorted()).toEqual([
    'cache_control',
    'messages[].content[].image_url.detail',
    'parallel_tool_calls',
    'seed',
    'service_tier',
    'stop',
    'user',
  ]);
  expect(value.generationConfig).toEqual({ stopSequences: ['1', '2', '3', '4', '5'] });
});

test.each<
  [model: string, effort: string | null, budgetTokens: number | null, visible: boolean | null, config: object | undefined, told: string[]]
>([
  ['gemini-3-flash-preview', 'none', null, null, { thinkingLevel: 'minimal' }, ['reasoning_effort']],
  ['gemini-3.1-pro-preview', 'minimal', null, null, { thinkingLevel: 'low' }, ['reasoning_effort']],
  ['gemini-flash-latest', 'medium', null, true, { includeThoughts: true, thinkingLevel: 'medium' }, []],
  ['gemini-3-flash-preview', 'xhigh', null, null, { thinkingLevel: 'high' }, ['reasoning_effort']],
  ['gemini-3-flash-preview', null, 2_000, null, { thinkingBudget: 2_000 }, []],
  ['gemini-2.5-flash', 'none', null, null, { thinkingBudget: 0 }, []],
  ['gemini-2.5-flash', 'high', null, false, { includeThoughts: false, thinkingBudget: 24_576 }, ['reasoning_effort']],
  ['gemini-2.5-pro', 'none', null, null, { thinkingBudget: 128 }, ['reasoning_effort']],
  ['gemini-2.0-flash', 'high', null, null, undefined, ['reasoning_effort']],
  ['gemini-2.0-flash', 'none', null, null, undefined, []],
])('%s asked to think %s/%s, visible %s', (model, effort, budgetTokens, visible, config, told) => {
  const { value, notCarried } = written({ reasoning: { effort, budgetTokens, visible } }, model);
  expect(value.generationConfig?.thinkingConfig).toEqual(config);
  expect(notCarried).toEqual(told);
});
