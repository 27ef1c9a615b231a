import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { providerRecording } from '../../harness/provider-recordings.ts';
import { startSimulator } from '../../harness/simulator.ts';
import { eventsIn, fieldsOf, joinedFields } from './recorded-shape.ts';

// The unmodified official client and recordings of the real endpoint judge whether the simulator speaks the protocol.
type Params = OpenAI.Responses.ResponseCreateParamsNonStreaming;

const input = 'hello there, how are you?';
const weatherTool = {
  type: 'function',
  name: 'get_weather',
  strict: true,
  parameters: {
    type: 'object',
    properties: { city: { type: 'string', enum: ['Lima', 'Oslo'] }, days: { type: 'integer', minimum: 2 } },
    required: ['city', 'days'],
    additionalProperties: false,
  },
} satisfies OpenAI.Responses.FunctionTool;
const timeTool = {
  type: 'function',
  name: 'get_time',
  strict: false,
  parameters: { type: 'object', properties: {} },
} satisfies OpenAI.Responses.FunctionTool;

async function startWithClient() {
  const running = await startSimulator();
  const client = new OpenAI({ baseURL: running.baseUrl, apiKey: 'sk-test', maxRetries: 0 });
  return { client, baseUrl: running.baseUrl, books: running.simulator.books, [Symbol.asyncDispose]: running[Symbol.asyncDispose] };
}

const textOfStream = async (baseUrl: string, body: object, simulator = ''): Promise<string> => {
  const response = await fetch(`${baseUrl}/responses`, {
    method: 'POST',
    body: JSON.stringify({ model: 'echo', input, stream: true, ...body }),
    headers: { 'x-simulator': simulator },
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  return response.text();
};

test('a response echoes the last user message and tells its usage', async () => {
  await using provider = await startWithClient();
  const response = await provider.client.responses.create({ model: 'echo', input, instructions: 'Be kind.', metadata: { trace: 'x' } });
  expect(response).toMatchObject({
    object: 'response',
    status: 'completed',
    error: null,
    instructions: 'Be kind.',
    metadata: { trace: 'x' },
  });
  expect(response.id).toMatch(/^resp_\w+$/);
  expect(response._request_id).toMatch(/^req_/);
  expect(response.output_text).toBe(input);
  expect(response.output).toMatchObject([{ type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text' }] }]);
  expect(response.usage).toEqual({
    input_tokens: 20,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 25,
  });
});

test('messages, parts, calls and their results are read, and the last user message is echoed', async () => {
  await using provider = await startWithClient();
  const response = await provider.client.responses.create({
    model: 'tools',
    tools: [weatherTool],
    input: [
      { role: 'developer', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'input_text', text: 'what about Oslo?' }] },
      { type: 'reasoning', id: 'rs_1', summary: [] },
      { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'sunny' },
    ],
  });
  expect(response.output_text).toBe('what about Oslo?');
});

test('a stream is put together by the client to what the body would be', async () => {
  await using provider = await startWithClient();
  const stream = provider.client.responses.stream({ model: 'echo', input });
  const types: string[] = [];
  const numbers: number[] = [];
  let text = '';
  stream.on('event', (event) => {
    types.push(event.type);
    numbers.push(event.sequence_number);
    if (event.type === 'response.output_text.delta') text += event.delta;
  });
  const final = await stream.finalResponse();
  expect(text).toBe(input);
  expect(final.output_text).toBe(input);
  expect(final.usage?.total_tokens).toBe(final.usage!.input_tokens + 5);
  expect(numbers).toEqual(numbers.map((_, index) => index));
  expect([types[0], types[1], types.at(-1)]).toEqual(['response.created', 'response.in_progress', 'response.completed']);
});

test('calls fit their schema, whole and streamed, alone and in parallel', async () => {
  await using provider = await startWithClient();
  const tools = [weatherTool, timeTool];
  const whole = await provider.client.responses.create({ model: 'tools', input, tools });
  expect(whole.output).toMatchObject([
    { type: 'function_call', status: 'completed', name: 'get_weather', arguments: '{"city":"Lima","days":2}' },
  ]);

  const stream = provider.client.responses.stream({ model: 'tools-parallel', input, tools });
  const pieces: string[] = [];
  stream.on('response.function_call_arguments.delta', (event) => pieces.push(event.delta));
  const final = await stream.finalResponse();
  expect(final.output).toMatchObject([
    { type: 'function_call', name: 'get_weather', arguments: '{"city":"Lima","days":2}' },
    { type: 'function_call', name: 'get_time', arguments: '{}' },
  ]);
  expect(new Set(final.output.map((item) => item.id)).size).toBe(2);
  expect(pieces.join('')).toBe('{"city":"Lima","days":2}{}');
});

test('tool_choice, parallel_tool_calls and text.format are obeyed whatever the model', async () => {
  await using provider = await startWithClient();
  const create = (model: string, more: Partial<Params>) =>
    provider.client.responses.create({ model, input, tools: [weatherTool, timeTool], ...more });
  const names = (response: OpenAI.Responses.Response) =>
    response.output.map((item) => (item.type === 'function_call' ? item.name : item.type));
  expect(names(await create('tools', { tool_choice: 'none' }))).toEqual(['message']);
  expect(names(await create('echo', { tool_choice: 'required' }))).toEqual(['get_weather']);
  expect(names(await create('echo', { tool_choice: { type: 'function', name: 'get_time' } }))).toEqual(['get_time']);
  expect(names(await create('tools-parallel', { parallel_tool_calls: false }))).toEqual(['get_weather']);
  const format = { type: 'json_schema', name: 'page', schema: weatherTool.parameters } satisfies OpenAI.Responses.ResponseFormatTextConfig;
  const parsed = await provider.client.responses.parse({ model: 'echo', input, text: { format } });
  expect(parsed.output_parsed).toEqual({ city: 'Lima', days: 2 });
});

test('reasoning is an item of its own, with a summary and encrypted content for who asks', async () => {
  await using provider = await startWithClient();
  const plain = await provider.client.responses.create({ model: 'reasoning', input });
  expect(plain.output).toMatchObject([{ type: 'reasoning', summary: [] }, { type: 'message' }]);
  expect(plain.output[0]).not.toHaveProperty('encrypted_content');
  expect(plain.usage).toMatchObject({ output_tokens: 69, output_tokens_details: { reasoning_tokens: 64 } });

  const stream = provider.client.responses.stream({
    model: 'reasoning',
    input,
    reasoning: { effort: 'low', summary: 'auto' },
    include: ['reasoning.encrypted_content'],
  });
  let summary = '';
  stream.on('response.reasoning_summary_text.delta', (event) => {
    summary += event.delta;
  });
  const final = await stream.finalResponse();
  expect(final.output[0]).toMatchObject({ type: 'reasoning', summary: [{ type: 'summary_text', text: summary }] });
  expect(final.output[0]).toHaveProperty('encrypted_content', expect.stringMatching(/./));
  expect(final.reasoning).toMatchObject({ effort: 'low', summary: 'auto' });
});

test('an answer that is cut short is incomplete and says why, with the usage in the last event', async () => {
  await using provider = await startWithClient();
  const cut = await provider.client.responses.create({ model: 'long', input, max_output_tokens: 7 });
  expect(cut).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, usage: { output_tokens: 7 } });
  expect(cut.output).toMatchObject([{ type: 'message', status: 'incomplete' }]);

  const stream = await provider.client.responses.create({ model: 'filtered', input, stream: true });
  let last: OpenAI.Responses.ResponseStreamEvent | null = null;
  for await (const event of stream) last = event;
  expect(last).toMatchObject({
    type: 'response.incomplete',
    response: { status: 'incomplete', incomplete_details: { reason: 'content_filter' }, usage: { output_tokens: 5 } },
  });
});

test('a refusal is a refusal, whole and streamed', async () => {
  await using provider = await startWithClient();
  const whole = await provider.client.responses.create({ model: 'refusal', input });
  expect(whole.output).toMatchObject([{ content: [{ type: 'refusal', refusal: expect.stringContaining('sorry') }] }]);
  const final = await provider.client.responses.stream({ model: 'refusal', input }).finalResponse();
  expect(final.output).toMatchObject([{ content: [{ type: 'refusal', refusal: expect.stringContaining('sorry') }] }]);
});

test('a failure in the middle is an error event and then response.failed, numbered on', async () => {
  await using provider = await startWithClient();
  const { events, done } = eventsIn(await textOfStream(provider.baseUrl, { model: 'error-mid' }));
  expect(events.map(({ name }) => name).slice(-2)).toEqual(['error', 'response.failed']);
  expect(events.map(({ value }) => value.sequence_number)).toEqual([0, 1, 2, 3, 4]);
  expect(events.at(-1)?.value).toMatchObject({ response: { status: 'failed', error: { code: 'server_error' }, usage: null, output: [] } });
  expect(done).toBe(false);
  const read = async () => {
    for await (const _ of await provider.client.responses.create({ model: 'error-mid', input, stream: true }));
  };
  await expect(read()).rejects.toThrow(/The server had an error/);
  expect(provider.books.summary().streams.cut).toBe(2);
});

test('what cannot be kept cannot be referred to: refused as OpenAI refuses it, with the parameter named', async () => {
  await using provider = await startWithClient();
  const refusal = async (body: object) => {
    const error = await provider.client.post('/responses', { body }).catch((thrown: unknown) => thrown);
    return error instanceof OpenAI.APIError ? [error.status, error.code, error.param] : 'no error';
  };
  expect(await refusal({ model: 'echo', input, previous_response_id: 'resp_1' })).toEqual([
    400,
    'previous_response_not_found',
    'previous_response_id',
  ]);
  expect(await refusal({ model: 'echo', input, background: true })).toEqual([400, 'unsupported_value', 'background']);
  expect(await refusal({ model: 'echo', input, conversation: 'conv_1' })).toEqual([400, 'unsupported_value', 'conversation']);
  expect(await refusal({ model: 'echo' })).toEqual([400, 'missing_required_parameter', 'input']);
  expect(await refusal({ model: 'echo', input: [] })).toEqual([400, 'invalid_type', 'input']);
  expect(await refusal({ model: 'echo', input, max_output_tokens: 0 })).toEqual([400, 'invalid_type', 'max_output_tokens']);
  // Unlike on chat, an unknown model is a bad request here.
  expect(await refusal({ model: 'no-such', input })).toEqual([400, 'model_not_found', 'model']);
  expect(await refusal({ model: 'error-context', input })).toEqual([400, 'context_length_exceeded', 'input']);
  expect(await refusal({ model: 'error-429', input })).toEqual([429, 'rate_limit_exceeded', null]);
  const endless = { type: 'json_schema', name: 'x', schema: { $ref: '#' } };
  expect(await refusal({ model: 'echo', input, text: { format: endless } })).toEqual([400, 'invalid_json_schema', 'text.format']);
  expect(provider.books.summary()).toMatchObject({ requests: 10, outcomes: { refused: 10 }, billed: { answers: 0 } });
});

test('the books bill a response as they bill a chat: all of it, or what was sent of it', async () => {
  await using provider = await startWithClient();
  const usage = 'prompt-tokens=100; cached-tokens=40; tokens=8; reasoning-tokens=12; cache-write-tokens=5; audio-output-tokens=3';
  await textOfStream(provider.baseUrl, {}, usage);
  // created, in_progress, reasoning (2), message (2), and then the tokens
  await textOfStream(provider.baseUrl, {}, `${usage}; disconnect=8; disconnect-by=end`);
  await textOfStream(provider.baseUrl, {}, `${usage}; disconnect=6; disconnect-by=end`);
  await textOfStream(provider.baseUrl, {}, `${usage}; finish=missing`);
  const all = { promptTokens: 100, cachedTokens: 40, cacheWriteTokens: 5, completionTokens: 20, reasoningTokens: 12, audioOutputTokens: 0 };
  expect(provider.books.entries(0, 10).entries).toMatchObject(
    [
      {
        endpoint: '/v1/responses',
        id: /^resp_/,
        stream: true,
        outcome: 'finished',
        billed: all,
        reported: { ...all, audioOutputTokens: null },
      },
      { outcome: 'cut', billed: { ...all, completionTokens: 14 }, reported: null },
      { outcome: 'cut', billed: null, reported: null },
      { outcome: 'finished', billed: all, reported: null },
    ].map((entry) => (entry.id === undefined ? entry : { ...entry, id: expect.stringMatching(entry.id) })),
  );
});

test.each([
  ['openai/responses.stream.text.gpt-5.5', {}, '', /phase$/],
  [
    'openai/responses.stream.parallel-tools.gpt-4o-mini',
    { model: 'tools-parallel', tools: [weatherTool, timeTool] },
    '',
    /tools|reasoning\.context/,
  ],
  ['openai/responses.stream.reasoning_structured.o4-mini', { model: 'reasoning' }, '', /text\.format/],
  ['openai/responses.stream.error-event-then-failed.gpt-5-nano', { model: 'error-mid' }, 'error-after=2', /_penalty$/],
])('the stream %s is imitated: its events and their fields', async (recording, body, simulator, aside) => {
  await using provider = await startWithClient();
  const recorded = eventsIn(providerRecording(recording).bytes.toString()).events;
  const simulated = eventsIn(await textOfStream(provider.baseUrl, body, simulator)).events;
  const order = (events: typeof recorded) => events.map(({ name }) => name).filter((name, index, all) => name !== all[index - 1]);
  expect(order(simulated)).toEqual(order(recorded));
  for (const event of new Set(order(recorded))) {
    const fields = (events: typeof recorded) =>
      joinedFields(events.filter(({ name }) => name === event).map(({ value }) => value)).filter((field) => {
        const [path = '', type] = field.split(':');
        // Null or not is a matter of the request; which fields there are is not. Padding is not sent.
        return type !== 'null' && !aside.test(path) && !/obfuscation|prompt_cache_retention|reasoning\.effort|max_output_tokens/.test(path);
      });
    expect(fields(simulated), event ?? '').toEqual(fields(recorded));
  }
});

test.each([
  ['openai', 'openai/responses.sync.reasoning_cache-write_stop-length.gpt-5.6-sol'],
  ['xai', 'xai/responses.sync.tool-result-in_reasoning_cache-read_image-in.grok-4.3'],
  ['openrouter', 'openrouter/responses.sync.cache-write.gpt-5.6-sol'],
])('the usage of %s has the fields that were recorded', async (shape, recording) => {
  await using provider = await startWithClient();
  const response = await fetch(`${provider.baseUrl}/responses`, {
    method: 'POST',
    headers: { 'x-simulator': `usage-shape=${shape}; ${shape === 'xai' ? '' : 'cache-write-tokens=7'}` },
    body: JSON.stringify({ model: 'echo', input }),
  });
  const recorded = JSON.parse(providerRecording(recording).bytes.toString());
  const { usage } = JSON.parse(await response.text());
  expect(fieldsOf(usage)).toEqual(fieldsOf(recorded.usage));
});
