import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../../../schema/errors.ts';
import type { Conversation } from '../../../../../services/proxy/conversation/conversation.ts';
import { writeKeptSignature } from '../../../../../services/proxy/dialects/generate-content/kept-signature.ts';
import { readRequest } from '../../../../../services/proxy/dialects/generate-content/read-request.ts';
import { UNKNOWN, withUnknown } from '../../../../harness/with-unknown.ts';

const said = [{ role: 'user', parts: [{ text: 'hi' }] }];

/** What a request says, and what of it is not carried. */
function read(body: object): Conversation & { readonly notCarried: readonly string[] } {
  const notCarried: string[] = [];
  const bytes = Buffer.from(JSON.stringify({ contents: said, ...body }));
  const request = {
    model: 'm',
    method: 'generateContent' as const,
    isEventStream: false,
    body: JSON.parse(bytes.toString('utf8')),
  };
  return { ...readRequest(request, (field) => notCarried.push(field), bytes), notCarried };
}

function fault(body: object): { readonly code: string; readonly param: string | null } {
  try {
    read(body);
  } catch (error) {
    if (error instanceof GatewayError) return { code: error.code, param: error.param };
  }
  throw new Error('not refused');
}

test('every member is understood in either spelling', () => {
  const { turns, maxOutputTokens, outputFormat, toolChoice, tools, notCarried } = read({
    system_instruction: { parts: { text: 'Be brief.' } },
    generation_config: { max_output_tokens: 5, response_mime_type: 'application/json' },
    tools: [{ function_declarations: [{ name: 'look_up', parameters_json_schema: { type: 'object', properties: { a_b: {} } } }] }],
    tool_config: { function_calling_config: { mode: 'ANY', allowed_function_names: ['look_up'] } },
    contents: [{ parts: [{ inline_data: { mime_type: 'image/png', data: 'AAAA' } }] }],
  });
  expect(turns[0]).toEqual({ role: 'instructions', parts: [{ kind: 'text', text: 'Be brief.', cache: null }] });
  expect(turns[1]).toMatchObject({ role: 'user', parts: [{ kind: 'image' }] });
  expect([maxOutputTokens, outputFormat, toolChoice]).toEqual([5, { kind: 'json' }, { kind: 'tool', name: 'look_up' }]);
  expect(tools[0]?.parameters).toEqual({ type: 'object', properties: { a_b: {} } });
  expect(notCarried).toEqual([]);
});

describe('calls and results', () => {
  const call = (name: string, id?: string) => ({ functionCall: { name, args: { at: 1 }, ...(id === undefined ? {} : { id }) } });
  const result = (name: string, response: unknown, id?: string) => ({
    functionResponse: { name, response, ...(id === undefined ? {} : { id }) },
  });

  test('without ids belong together by their names, in order', () => {
    const { turns } = read({
      contents: [
        ...said,
        { role: 'model', parts: [call('look'), call('find'), call('look')] },
        { role: 'function', parts: [result('look', { output: 'first' }), result('look', { a: 1 }), result('find', { error: 'none' })] },
      ],
    });
    const calls = turns[1]?.parts.map((part) => (part.kind === 'tool_call' ? part.callId : null)) ?? [];
    expect(new Set(calls).size).toBe(3);
    expect(turns[2]?.parts).toMatchObject([
      { callId: calls[0], toolName: 'look', parts: [{ text: 'first' }], isError: false },
      { callId: calls[2], parts: [{ text: '{"a":1}' }], isError: false },
      { callId: calls[1], parts: [{ text: 'none' }], isError: true },
    ]);
  });

  test('with ids keep them, and a result without one is that of the call that is left', () => {
    const { turns } = read({
      contents: [
        { role: 'model', parts: [call('look', 'a'), call('look', 'b')] },
        { parts: [result('look', {}, 'a'), result('look', {})] },
      ],
    });
    expect(turns[1]?.parts).toMatchObject([{ callId: 'a' }, { callId: 'b' }]);
  });

  test('keep the digits of their numbers', () => {
    const bytes = Buffer.from(
      '{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":{"n":12345678901234567890,"x":1.0}}}]},' +
        '{"parts":[{"functionResponse":{"name":"f","response":{"n":98765432109876543210}}}]}]}',
    );
    const request = { model: 'm', method: 'generateContent' as const, isEventStream: false, body: JSON.parse(bytes.toString('utf8')) };
    const { turns } = readRequest(request, () => {}, bytes);
    expect(turns[0]?.parts).toMatchObject([{ input: '{"n":12345678901234567890,"x":1.0}' }]);
    expect(turns[1]?.parts).toMatchObject([{ parts: [{ text: '{"n":98765432109876543210}' }] }]);
  });

  test('a result of no call is refused with its place', () => {
    expect(fault({ contents: [{ parts: [result('look', {})] }] })).toEqual({
      code: 'invalid_request',
      param: 'contents[0].parts[0].functionResponse.name',
    });
  });
});

describe('what the model said', () => {
  test('is one turn and one text, however many pieces of a stream the client kept', () => {
    const signature = writeKeptSignature({ kind: 'signature', signature: 'a+b/c==' });
    const redacted = writeKeptSignature({ kind: 'redacted', data: 'hidden' });
    const { turns, notCarried } = read({
      contents: [
        ...said,
        { role: 'model', parts: [{ text: 'Let me', thought: true }] },
        { role: 'model', parts: [{ text: ' see', thought: true }] },
        // As a client in another language spells it again.
        { role: 'model', parts: [{ text: '', thought: true, thoughtSignature: signature.replaceAll('+', '-').replaceAll('/', '_') }] },
        { role: 'model', parts: [{ text: '', thought: true, thoughtSignature: redacted }] },
        { role: 'model', parts: [{ text: 'Hel' }] },
        { role: 'model', parts: [{ text: 'lo' }, { text: '' }] },
        ...said,
      ],
    });
    expect(turns).toHaveLength(3);
    expect(turns[1]?.parts).toEqual([
      { kind: 'thinking', text: 'Let me see', signature: 'a+b/c==' },
      { kind: 'redacted_thinking', data: 'hidden' },
      { kind: 'text', text: 'Hello', cache: null },
    ]);
    expect(notCarried).toEqual([]);
  });

  test('is told where it was Google’s own: signatures, code that ran, pictures it drew', () => {
    const { turns, notCarried } = read({
      contents: [
        {
          role: 'model',
          parts: [
            { functionCall: { name: 'look' }, thoughtSignature: 'c2lnbmVk' },
            { executableCode: { language: 'PYTHON', code: '1' } },
            { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
          ],
        },
      ],
    });
    expect(turns[0]?.parts).toMatchObject([{ kind: 'tool_call', input: '{}', signature: null }]);
    expect(notCarried).toEqual([
      'contents[].parts[].thoughtSignature',
      'contents[].parts[].executableCode',
      'contents[].parts[].inlineData',
    ]);
  });
});

describe('what is shown', () => {
  const shown = (part: object) => read({ contents: [{ parts: [part] }] }).turns[0]?.parts[0];

  test('is a picture, a sound, a text or a document by its type', () => {
    expect(shown({ inlineData: { mimeType: 'audio/mpeg', data: 'AA-_' } })).toEqual({ kind: 'audio', data: 'AA+/', format: 'mp3' });
    expect(shown({ inlineData: { mimeType: 'audio/x-wav;rate=1', data: 'AAAA' } })).toMatchObject({ format: 'wav' });
    expect(shown({ inlineData: { mimeType: 'text/markdown', data: 'aGk=', displayName: 'a.md' } })).toEqual({
      kind: 'document',
      source: { kind: 'text', text: 'hi' },
      title: 'a.md',
      cache: null,
    });
    expect(shown({ fileData: { mimeType: 'application/pdf', fileUri: 'https://a.b/c.pdf' } })).toMatchObject({
      kind: 'document',
      source: { kind: 'url', url: 'https://a.b/c.pdf' },
    });
  });

  test.each([
    { fileData: { mimeType: 'image/png', fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc' } },
    { fileData: { mimeType: 'image/png', fileUri: 'gs://bucket/a.png' } },
    { fileData: { fileUri: 'https://www.youtube.com/watch?v=1' } },
    { fileData: { mimeType: 'audio/mp3', fileUri: 'https://a.b/c.mp3' } },
    { inlineData: { mimeType: 'video/mp4', data: 'AAAA' } },
    {},
  ])('is refused where nobody else can see it: %j', (part) => {
    expect(fault({ contents: [{ parts: [part] }] }).param).toMatch(/^contents\[0\]\.parts\[0\]\./);
  });
});

describe('how it is to be answered', () => {
  const config = (generationConfig: object) => read({ generationConfig });

  test('thinking by budget, by level, as the model sees fit, or not at all', () => {
    const wish = (thinkingConfig: object) => config({ thinkingConfig }).reasoning;
    expect(wish({ thinkingBudget: 2_000, includeThoughts: true })).toEqual({ effort: null, budgetTokens: 2_000, visible: true });
    expect(wish({ thinkingLevel: 'LOW' })).toEqual({ effort: 'low', budgetTokens: null, visible: null });
    expect(wish({ thinkingBudget: -1 })).toEqual({ effort: null, budgetTokens: null, visible: null });
    expect(wish({ thinkingBudget: 0 })).toEqual({ effort: 'none', budgetTokens: null, visible: null });
  });

  test('by a schema of Google’s, which becomes JSON Schema without other members', () => {
    const responseSchema = {
      type: 'OBJECT',
      property_ordering: ['b', 'a'],
      properties: {
        a: { type: 'ARRAY', items: { type: 'NUMBER', format: 'double' }, minItems: '1' },
        b: { type: 'STRING', format: 'enum', enum: ['x'], nullable: true, example: 'x' },
      },
      required: ['a', 'b'],
    };
    const { outputFormat } = config({ responseMimeType: 'application/json', responseSchema });
    expect(outputFormat).toEqual({
      kind: 'json_schema',
      name: 'answer',
      strict: true,
      schema: {
        type: 'object',
        properties: {
          a: { type: 'array', items: { type: 'number' }, minItems: 1 },
          b: { type: ['string', 'null'], enum: ['x', null], examples: ['x'] },
        },
        required: ['a', 'b'],
        additionalProperties: false,
      },
    });
    if (outputFormat.kind !== 'json_schema') throw new Error('no schema');
    expect(Object.keys(Object(Object(outputFormat.schema).properties))).toEqual(['b', 'a']);
  });

  test('by a JSON Schema, strictly only where each object has all it names', () => {
    const responseJsonSchema = { type: 'object', properties: { a: {}, b: {} }, required: ['a'] };
    expect(config({ responseMimeType: 'application/json', responseJsonSchema }).outputFormat).toMatchObject({
      schema: { ...responseJsonSchema, additionalProperties: false },
      strict: null,
    });
  });

  test('is refused where the answer would be another', () => {
    expect(fault({ generationConfig: { responseModalities: ['IMAGE'] } }).param).toBe('generationConfig.responseModalities');
    expect(fault({ generationConfig: { responseMimeType: 'text/x.enum' } }).param).toBe('generationConfig.responseMimeType');
    expect(fault({ cachedContent: 'cachedContents/1' }).param).toBe('cachedContent');
    for (const tool of ['codeExecution', 'urlContext', 'fileSearch', 'computerUse', 'mcpServers', 'retrieval']) {
      expect(fault({ tools: [{ [tool]: {} }] }).param).toBe(`tools[0].${tool}`);
    }
  });

  test('is told where it is only poorer', () => {
    const { notCarried } = read({
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
      labels: { a: 'b' },
      store: true,
      tools: [{ googleSearch: {} }, { googleMaps: {} }],
      toolConfig: { retrievalConfig: { languageCode: 'en' } },
      generationConfig: { mediaResolution: 'MEDIA_RESOLUTION_LOW', responseModalities: ['TEXT', 'IMAGE'], invented: 1 },
    });
    expect(notCarried.toSorted()).toEqual([
      'generationConfig.invented',
      'generationConfig.mediaResolution',
      'generationConfig.responseModalities',
      'labels',
      'safetySettings',
      'store',
      'toolConfig.retrievalConfig',
      'tools[].googleMaps',
      'tools[].googleSearch',
    ]);
  });

  test.each([
    ['AUTO', [], 'auto', 2],
    ['NONE', [], 'none', 2],
    ['ANY', [], 'required', 2],
    ['ANY', ['a'], 'tool', 1],
    ['ANY', ['a', 'b'], 'required', 2],
    ['MODE_UNSPECIFIED', [], undefined, 2],
  ])('with the functions that mode %s and the names %j allow', (mode, allowedFunctionNames, kind, count) => {
    const { toolChoice, tools } = read({
      tools: [{ functionDeclarations: [{ name: 'a' }, { name: 'b' }] }],
      toolConfig: { functionCallingConfig: { mode, allowedFunctionNames } },
    });
    expect([toolChoice?.kind, tools.length]).toEqual([kind, count]);
  });

  test('with calls held to their schemas, where those are closed', () => {
    const validated = (parameters: object) =>
      read({
        tools: [{ functionDeclarations: [{ name: 'a', parametersJsonSchema: parameters }] }],
        toolConfig: { functionCallingConfig: { mode: 'VALIDATED' } },
      });
    const closed = validated({ type: 'object', properties: {}, additionalProperties: false });
    expect([closed.tools[0]?.strict, closed.notCarried]).toEqual([true, []]);
    const open = validated({ type: 'object', properties: { a: {} } });
    expect([open.tools[0]?.strict, open.notCarried]).toEqual([null, ['toolConfig.functionCallingConfig.mode']]);
  });

  test.each([
    ['standard', 'default'],
    ['flex', 'flex'],
    ['unspecified', null],
  ])('by the tier %s', (serviceTier, known) => {
    expect(read({ serviceTier }).serviceTier).toBe(known);
  });
});

test('a member that is invented tomorrow is told of, wherever it stands', () => {
  const request = {
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
    contents: [
      { role: 'user', parts: [{ text: 'hi' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }] },
      { parts: [{ fileData: { mimeType: 'application/pdf', fileUri: 'https://a.b/c.pdf' } }] },
      { role: 'model', parts: [{ text: 'hm', thought: true }, { text: 'so' }, { functionCall: { name: 'look', args: { at: 1 } } }] },
      {
        parts: [
          {
            functionResponse: {
              name: 'look',
              response: { output: 'it' },
              parts: [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }],
            },
          },
        ],
      },
    ],
    tools: [{ functionDeclarations: [{ name: 'look', parameters: { type: 'OBJECT' } }] }],
    toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
    generationConfig: { thinkingConfig: { thinkingBudget: 5 }, responseMimeType: 'application/json', responseSchema: { type: 'OBJECT' } },
  };
  const whole = new Set(['args', 'response', 'parameters', 'responseSchema']);
  const member = UNKNOWN.replace('_t', 'T');
  const places: string[] = [];
  for (const [place, changed] of withUnknown(request, whole)) {
    expect(read(changed as object).notCarried).toEqual([place === '' ? member : `${place}.${member}`]);
    places.push(place);
  }
  expect(places.length).toBeGreaterThan(20);
  expect(read(request).notCarried).toEqual([]);
});
