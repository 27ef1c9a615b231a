import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { startSimulator } from '../../harness/simulator.ts';

// The unmodified official client is the judge of whether the simulator speaks the protocol.
const messages = [{ role: 'user', content: 'hello there, how are you?' }] satisfies OpenAI.ChatCompletionMessageParam[];
const weatherTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', enum: ['Lima', 'Oslo'] }, days: { type: 'integer', minimum: 2 } },
      required: ['city', 'days'],
    },
  },
} satisfies OpenAI.ChatCompletionTool;
const timeTool = { type: 'function', function: { name: 'get_time' } } satisfies OpenAI.ChatCompletionTool;

async function startWithClient(options: { readonly maxRetries?: number; readonly apiKey?: string } = {}) {
  const running = await startSimulator();
  const client = new OpenAI({ baseURL: running.baseUrl, apiKey: 'sk-test', maxRetries: 0, ...options });
  return { client, books: running.simulator.books, [Symbol.asyncDispose]: running[Symbol.asyncDispose] };
}

test('a completion echoes the last user message and reports its usage', async () => {
  await using provider = await startWithClient();
  const answer = await provider.client.chat.completions.create({ model: 'echo', messages });
  expect(answer.choices).toMatchObject([
    { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: messages[0]!.content, refusal: null } },
  ]);
  expect(answer.usage).toMatchObject({ prompt_tokens: 14, completion_tokens: 5, total_tokens: 19 });
  expect(answer._request_id).toMatch(/^req_/);
});

test('a stream has usage null on every chunk and a last chunk with usage only when asked', async () => {
  await using provider = await startWithClient();
  const chunks = [];
  for await (const chunk of await provider.client.chat.completions.create({
    model: 'echo',
    messages,
    stream: true,
    stream_options: { include_usage: true },
  })) {
    chunks.push(chunk);
  }
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(messages[0]!.content);
  expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null && chunk.choices.length === 1)).toBe(true);
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 14, completion_tokens: 5, total_tokens: 19 } });

  for await (const chunk of await provider.client.chat.completions.create({ model: 'echo', messages, stream: true })) {
    expect(chunk.choices).toHaveLength(1);
    expect(chunk).not.toHaveProperty('usage');
  }
});

test('several choices interleave and the accumulator puts each together', async () => {
  await using provider = await startWithClient();
  const stream = provider.client.chat.completions.stream({ model: 'echo', messages, n: 3, stream_options: { include_usage: true } });
  const indexes: number[] = [];
  stream.on('chunk', (chunk) => indexes.push(...chunk.choices.map((choice) => choice.index)));
  const answer = await stream.finalChatCompletion();
  expect(answer.choices.map((choice) => choice.message.content)).toEqual(Array(3).fill(messages[0]!.content));
  expect(indexes.slice(0, 6)).toEqual([0, 1, 2, 0, 1, 2]);
  expect(answer.usage?.completion_tokens).toBe(15);
});

test('a tool call fits its schema, whole and streamed, alone and in parallel', async () => {
  await using provider = await startWithClient();
  const single = await provider.client.chat.completions.create({ model: 'tools', messages, tools: [weatherTool] });
  const [call] = single.choices[0]!.message.tool_calls ?? [];
  expect(single.choices[0]?.finish_reason).toBe('tool_calls');
  expect(call).toMatchObject({ type: 'function', function: { name: 'get_weather', arguments: '{"city":"Lima","days":2}' } });

  const stream = provider.client.chat.completions.stream({ model: 'tools-parallel', messages, tools: [weatherTool, timeTool] });
  const pieces: string[] = [];
  stream.on('tool_calls.function.arguments.delta', (delta) => pieces.push(delta.arguments_delta));
  const message = await stream.finalMessage();
  expect(message.tool_calls).toMatchObject([
    { function: { name: 'get_weather', arguments: '{"city":"Lima","days":2}' } },
    { function: { name: 'get_time', arguments: '{}' } },
  ]);
  expect(pieces.length).toBeGreaterThan(3);
});

test('tool_choice and parallel_tool_calls are obeyed whatever the model', async () => {
  await using provider = await startWithClient();
  const create = async (model: string, more: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming>) =>
    (await provider.client.chat.completions.create({ model, messages, tools: [weatherTool, timeTool], ...more })).choices[0]!;
  const names = (choice: OpenAI.ChatCompletion.Choice) =>
    choice.message.tool_calls?.map((call) => (call.type === 'function' ? call.function.name : ''));
  expect(names(await create('tools', { tool_choice: 'none' }))).toBeUndefined();
  expect(names(await create('echo', {}))).toBeUndefined();
  expect(names(await create('echo', { tool_choice: 'required' }))).toEqual(['get_weather']);
  const named = await create('echo', { tool_choice: { type: 'function', function: { name: 'get_time' } } });
  expect([names(named), named.finish_reason]).toEqual([['get_time'], 'stop']);
  expect(names(await create('tools-parallel', { parallel_tool_calls: false }))).toEqual(['get_weather']);
});

test("the client's loop of calls and results ends", async () => {
  await using provider = await startWithClient();
  const seen: string[] = [];
  const sunny = (given: string) => {
    seen.push(given);
    return 'sunny';
  };
  const runner = provider.client.chat.completions.runTools({
    model: 'tools',
    messages,
    tools: [{ type: 'function', function: { ...weatherTool.function, description: 'The weather', function: sunny } }],
  });
  expect(await runner.finalContent()).toBe(messages[0]!.content);
  expect(seen).toEqual(['{"city":"Lima","days":2}']);
});

test('structured output parses, and a refusal is a refusal', async () => {
  await using provider = await startWithClient();
  const response_format = {
    type: 'json_schema',
    json_schema: {
      name: 'page',
      strict: true,
      schema: {
        type: 'object',
        properties: { title: { type: 'string', minLength: 3 }, tags: { type: 'array', items: { type: 'string' } } },
        required: ['title', 'tags'],
      },
    },
  } satisfies OpenAI.ResponseFormatJSONSchema;
  const parsed = await provider.client.chat.completions.parse({ model: 'echo', messages, response_format });
  expect(parsed.choices[0]?.message.parsed).toEqual({ title: 'xxx', tags: [] });
  const streamed = await provider.client.chat.completions.stream({ model: 'echo', messages, response_format }).finalMessage();
  expect(JSON.parse(streamed.content ?? '')).toEqual({ title: 'xxx', tags: [] });
  const refused = await provider.client.chat.completions.create({ model: 'refusal', messages });
  expect(refused.choices[0]?.message).toMatchObject({ content: null, refusal: expect.stringMatching(/sorry/) });
});

test('token limits cut the answer and reasoning uses them up first', async () => {
  await using provider = await startWithClient();
  const cut = await provider.client.chat.completions.create({ model: 'long', messages, max_tokens: 7 });
  expect([cut.choices[0]?.finish_reason, cut.usage?.completion_tokens]).toEqual(['length', 7]);
  const thinking = await provider.client.chat.completions.create({ model: 'reasoning', messages, max_completion_tokens: 50 });
  expect(thinking.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: '' } });
  expect(thinking.usage).toMatchObject({ completion_tokens: 50, completion_tokens_details: { reasoning_tokens: 50 } });
});

test('usage carries cached, cache write, reasoning and audio tokens, or is missing', async () => {
  await using provider = await startWithClient();
  const usageOf = async (model: string) => (await provider.client.chat.completions.create({ model, messages })).usage;
  expect(await usageOf('cached')).toMatchObject({ prompt_tokens: 2048, prompt_tokens_details: { cached_tokens: 1536 } });
  expect(await usageOf('cache-write')).toMatchObject({ prompt_tokens_details: { cache_write_tokens: 1024 } });
  expect(await usageOf('reasoning')).toMatchObject({ completion_tokens: 69, completion_tokens_details: { reasoning_tokens: 64 } });
  expect(await usageOf('audio')).toMatchObject({
    prompt_tokens_details: { audio_tokens: 24 },
    completion_tokens_details: { audio_tokens: 36 },
  });
  expect(await usageOf('no-usage')).toBeUndefined();
});

const errorClasses = [
  ['400', OpenAI.BadRequestError, 400, 'invalid_value'],
  ['context', OpenAI.BadRequestError, 400, 'context_length_exceeded'],
  ['content-filter', OpenAI.BadRequestError, 400, 'content_filter'],
  ['401', OpenAI.AuthenticationError, 401, 'invalid_api_key'],
  ['402', OpenAI.APIError, 402, 'payment_required'],
  ['403', OpenAI.PermissionDeniedError, 403, 'insufficient_permissions'],
  ['404', OpenAI.NotFoundError, 404, 'model_not_found'],
  ['408', OpenAI.APIError, 408, 'request_timeout'],
  ['409', OpenAI.ConflictError, 409, 'conflict'],
  ['413', OpenAI.APIError, 413, 'request_too_large'],
  ['422', OpenAI.UnprocessableEntityError, 422, 'unprocessable'],
  ['429', OpenAI.RateLimitError, 429, 'rate_limit_exceeded'],
  ['429-tokens', OpenAI.RateLimitError, 429, 'rate_limit_exceeded'],
  ['quota', OpenAI.RateLimitError, 429, 'insufficient_quota'],
  ['500', OpenAI.InternalServerError, 500, null],
  ['502', OpenAI.InternalServerError, 502, null],
  ['503', OpenAI.InternalServerError, 503, 'overloaded'],
  ['504', OpenAI.InternalServerError, 504, 'timeout'],
  ['html', OpenAI.InternalServerError, 502, undefined],
  ['empty', OpenAI.InternalServerError, 500, undefined],
] as const;

test.each(errorClasses)(
  'error %s reaches the client as its class, by model, option and credential',
  async (kind, errorClass, status, code) => {
    await using provider = await startWithClient({ apiKey: `sim-error-${kind}_2` });
    const ways = [
      provider.client.withOptions({ apiKey: 'sk-test' }).chat.completions.create({ model: `error-${kind}`, messages }),
      provider.client
        .withOptions({ apiKey: 'sk-test' })
        .chat.completions.create({ model: 'echo', messages, metadata: { simulator: `error=${kind}` } }),
      provider.client.chat.completions.create({ model: 'echo', messages, stream: true }),
    ];
    for (const way of ways) {
      const error = await way.then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(errorClass);
      expect(error).toMatchObject({ status, ...(code === undefined ? {} : { code }) });
    }
    expect(provider.books.summary()).toMatchObject({ requests: 3, outcomes: { refused: 3 }, billed: { answers: 0 } });
  },
);

test('Retry-After comes with a rate limit and not with a spent quota', async () => {
  await using provider = await startWithClient();
  const retryAfter = async (simulator: string) => {
    const error = await provider.client.chat.completions
      .create({ model: 'echo', messages, metadata: { simulator } })
      .catch((thrown: unknown) => thrown);
    return error instanceof OpenAI.APIError ? error.headers?.get('retry-after') : 'no error';
  };
  expect(await retryAfter('error=429; retry-after=7')).toBe('7');
  expect(await retryAfter('error=503')).toBe('1');
  expect(await retryAfter('error=quota')).toBeNull();
});

test("the client's own retries get through a flaky model, and the books count each attempt", async () => {
  await using provider = await startWithClient({ maxRetries: 8 });
  for (let index = 0; index < 20; index++) {
    await provider.client.chat.completions.create({
      model: 'flaky',
      messages: [{ role: 'user', content: `message ${index}` }],
      metadata: { simulator: 'retry-after=0; fail-share=0.4; fail-kinds=429,disconnect' },
    });
  }
  const summary = provider.books.summary();
  expect(summary.outcomes.finished).toBe(20);
  expect(summary.outcomes.refused).toBeGreaterThan(0);
  expect(summary.outcomes.cut).toBeGreaterThan(0);
});

test('models are listed and found by name', async () => {
  await using provider = await startWithClient();
  const listed = [];
  for await (const model of provider.client.models.list()) listed.push(model.id);
  expect(listed).toEqual(expect.arrayContaining(['echo', 'slow', 'flaky', 'error-429']));
  expect(await provider.client.models.retrieve('echo')).toMatchObject({ id: 'echo', object: 'model', owned_by: 'simulator' });
  await expect(provider.client.models.retrieve('no-such')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
});

test('bad requests are refused as OpenAI refuses them, with the parameter named', async () => {
  await using provider = await startWithClient();
  const refusal = async (body: object) => {
    const error = await provider.client.post('/chat/completions', { body }).catch((thrown: unknown) => thrown);
    return error instanceof OpenAI.APIError ? [error.status, error.code, error.param] : 'no error';
  };
  expect(await refusal({ messages })).toEqual([400, 'missing_required_parameter', 'model']);
  expect(await refusal({ model: 'echo' })).toEqual([400, 'missing_required_parameter', 'messages']);
  expect(await refusal({ model: 'echo', messages: [{ content: 'x' }] })).toEqual([400, 'missing_required_parameter', 'messages[0].role']);
  expect(await refusal({ model: 'echo', messages, n: 0 })).toEqual([400, 'invalid_type', 'n']);
  expect(await refusal({ model: 'echo', messages, stream_options: { include_usage: true } })).toEqual([400, null, 'stream_options']);
  expect(await refusal({ model: 'no-such', messages })).toEqual([404, 'model_not_found', null]);
  expect(await refusal({ model: 'echo', messages, metadata: { simulator: 'ttft=1' } })).toEqual([
    400,
    'invalid_simulator_option',
    'metadata.simulator',
  ]);
  expect(await refusal({ model: 'echo', messages, tool_choice: { type: 'function', function: { name: 'x' } } })).toEqual([
    400,
    null,
    'tool_choice',
  ]);
});

test('an error event in a stream reaches the client as an error', async () => {
  await using provider = await startWithClient();
  const read = async () => {
    for await (const _ of await provider.client.chat.completions.create({ model: 'error-mid', messages, stream: true }));
  };
  await expect(read()).rejects.toThrow(/The server had an error/);
  expect(provider.books.summary().streams.cut).toBe(1);
});
