import { expect, test } from 'vitest';
import { providerRecording } from '../../harness/provider-recordings.ts';
import { startSimulator } from '../../harness/simulator.ts';
import { eventsIn, fieldsOf, joinedFields } from './recorded-shape.ts';

// What a provider really sent is the judge of whether the simulator imitates it: where usage stands, what it holds, how events are framed.
const messages = [{ role: 'user', content: 'add and multiply two and three' }];
const tool = (name: string) => ({ type: 'function', function: { name, parameters: { type: 'object', properties: {}, required: [] } } });
const tools = [tool('add'), tool('multiply')];

type Ask = {
  readonly shape: string;
  readonly options?: string;
  readonly model?: string;
  readonly usage?: boolean;
  readonly stream?: boolean;
};

async function ask(baseUrl: string, { shape, options = '', model = 'echo', usage = false, stream = true }: Ask): Promise<string> {
  const response = await fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({
      model,
      messages,
      ...(model.startsWith('tools') ? { tools } : {}),
      ...(stream ? { stream } : {}),
      ...(usage ? { stream_options: { include_usage: true } } : {}),
    }),
    headers: { 'x-simulator': `usage-shape=${shape}; ${options}` },
  });
  expect(response.status).toBe(200);
  return response.text();
}

/** Where in a stream the usage stands, how choices finish, and how it is framed. */
function mannersOf(text: string) {
  const { events, comments, done, crlf } = eventsIn(text);
  const chunks = events.map(({ value }) => value);
  const finishing = (chunk: unknown) => /"finish_reason":"/.test(JSON.stringify(chunk));
  const usageIn = (chunk: Record<string, unknown>) =>
    'usage' in chunk ? (chunk.usage === null ? 'null' : /_tokens":\d/.test(JSON.stringify(chunk.usage)) ? 'numbers' : 'other') : 'absent';
  const empty = (chunk: Record<string, unknown>) => Array.isArray(chunk.choices) && chunk.choices.length === 0;
  const first = chunks[0];
  const unfinished = chunks.find((chunk) => !empty(chunk) && !finishing(chunk));
  const choicesText = JSON.stringify(unfinished?.choices);
  return {
    onOrdinaryChunks: usageIn(unfinished ?? {}),
    onFinishingChunks: chunks.filter(finishing).map(usageIn),
    inGroupOfGroq: chunks.some((chunk) => /"x_groq":\{[^}]*"usage"/.test(JSON.stringify(chunk))),
    onEmptyChunks: chunks.slice(1).filter(empty).map(usageIn),
    beginsEmpty: first !== undefined && empty(first) ? fieldsOf(first) : null,
    finishReasonBefore: choicesText.includes('"finish_reason":null') ? 'null' : 'absent',
    comments: comments.length > 0 ? comments[0] : null,
    done,
    crlf,
  };
}

/** The fields of the last usage in a stream, or of the one in a body. */
function usageFields(chunks: readonly Record<string, unknown>[]) {
  return fieldsOf(chunks.findLast((chunk) => typeof chunk.usage === 'object' && chunk.usage !== null)?.usage);
}

/** Fields that differ for reasons that have nothing to do with usage: padding, tiers, what models of that day left out. */
const aside =
  /^(p|obfuscation|service_tier|latency_checkpoint|choices\[\]\.delta\.refusal|choices\[\]\.logprobs|choices\[\]\.seed|prompt_filter_results.*|choices\[\]\.content_filter_results.*|search_results.*|usage\..*|choices\[\]\.text|choices\[\]\.role)$/;

const streams: readonly (readonly [recording: string, ask: Ask])[] = [
  ['openai/chat.completions.stream.text.gpt-4o', { shape: 'openai', usage: true }],
  ['openai/chat.completions.stream.stream-no-usage.gpt-4.1', { shape: 'openai' }],
  ['azure-openai/chat.completions.stream.reasoning-tokens.gpt-5-mini', { shape: 'azure', options: 'reasoning-tokens=64', usage: true }],
  ['azure-openai/chat.completions.stream.stream-no-usage', { shape: 'azure' }],
  [
    'groq/chat.completions.stream.tool-call_tool-result-in_reasoning.gpt-oss-120b',
    { shape: 'groq', model: 'tools', options: 'reasoning-tokens=23' },
  ],
  ['groq/chat.completions.stream.tool-call_x-groq-usage', { shape: 'groq', model: 'tools' }],
  [
    'huggingface/chat.completions.stream.parallel-tools.kimi-k2-instruct-0905-groq',
    { shape: 'groq', model: 'tools-parallel', usage: true },
  ],
  ['deepseek/chat.completions.stream.reasoning.deepseek-v4-pro', { shape: 'deepseek', options: 'reasoning-tokens=34', usage: true }],
  [
    'deepseek/chat.completions.stream.tool-call_tool-result-in_cache-read.deepseek-chat',
    { shape: 'deepseek', model: 'tools', options: 'prompt-tokens=496; cached-tokens=384', usage: true },
  ],
  [
    'mistral/chat.completions.stream.tool-call_tool-result-in_cache-read.mistral-small-latest',
    { shape: 'mistral-details', model: 'tools', options: 'prompt-tokens=291; cached-tokens=192' },
  ],
  [
    'xai/chat.completions.stream.parallel-tools_reasoning_cache-read.grok-code-fast-1',
    { shape: 'xai', model: 'tools-parallel', options: 'reasoning-tokens=266; prompt-tokens=466; cached-tokens=192', usage: true },
  ],
  ['together/chat.completions.stream.text.llama-3.3-70b-instruct-turbo', { shape: 'together' }],
  ['together/chat.completions.stream.tool-call.llama-3.3-70b-instruct-turbo', { shape: 'together', model: 'tools', usage: true }],
  ['perplexity/chat.completions.stream.web-search.sonar', { shape: 'perplexity', usage: true }],
  [
    'openrouter/chat.completions.stream.parallel-tools_reasoning_cache-read.glm-5-turbo',
    { shape: 'openrouter', model: 'tools-parallel', options: 'reasoning-tokens=27', usage: true },
  ],
];

test.each(streams)('the stream %s is imitated', async (name, asked) => {
  await using provider = await startSimulator();
  const simulated = await ask(provider.baseUrl, asked);
  const recorded = providerRecording(name).bytes.toString();
  const [theirs, ours] = [mannersOf(recorded), mannersOf(simulated)];
  if (asked.shape === 'azure') {
    // The filter that looks for jailbreaks is not on everywhere.
    expect(theirs.beginsEmpty).toEqual(expect.arrayContaining([...(ours.beginsEmpty ?? ['nothing'])]));
    expect({ ...ours, beginsEmpty: null }).toEqual({ ...theirs, beginsEmpty: null });
  } else {
    expect(ours).toEqual(theirs);
  }

  const chunks = (text: string) => eventsIn(text).events.map(({ value }) => value);
  expect(usageFields(chunks(simulated))).toEqual(usageFields(chunks(recorded)));
  const unusual = (text: string) => joinedFields(chunks(text)).filter((field) => !aside.test(field.split(':')[0]!));
  const known = new Set(unusual(recorded).map((field) => field.split(':')[0]));
  expect(unusual(simulated).filter((field) => !known.has(field.split(':')[0]))).toEqual([]);
});

const bodies: readonly (readonly [recording: string, ask: Ask])[] = [
  ['openai/chat.completions.sync.text.gpt-5', { shape: 'openai' }],
  ['azure-openai/chat.completions.sync.tool-result-in_reasoning-tokens.gpt-5-mini', { shape: 'azure', options: 'reasoning-tokens=256' }],
  ['groq/chat.completions.sync.parallel-tools.kimi-k2-instruct-0905', { shape: 'groq', model: 'tools-parallel' }],
  [
    'groq/chat.completions.sync.tool-result-in_reasoning_cache-read.gpt-oss-120b',
    { shape: 'groq', options: 'reasoning-tokens=9; cached-share=0.5' },
  ],
  ['deepseek/chat.completions.sync.tool-call_cache-read.deepseek-chat', { shape: 'deepseek', model: 'tools' }],
  [
    'deepseek/chat.completions.sync.parallel-tools_tool-result-in_reasoning.deepseek-reasoner',
    { shape: 'deepseek', model: 'tools-parallel', options: 'reasoning-tokens=26' },
  ],
  ['mistral/chat.completions.sync.tool-result-in_image-in.mistral-medium-latest', { shape: 'mistral' }],
  ['mistral/chat.completions.sync.parallel-tools.mistral-small-latest', { shape: 'mistral-details', model: 'tools-parallel' }],
  ['xai/chat.completions.sync.tool-result-in_reasoning_cache-read.grok-3-mini', { shape: 'xai', options: 'reasoning-tokens=332' }],
  ['together/chat.completions.sync.tool-call.llama-3.3-70b-instruct-turbo', { shape: 'together', model: 'tools' }],
  ['perplexity/chat.completions.sync.structured_web-search.sonar', { shape: 'perplexity' }],
  [
    'openrouter/chat.completions.sync.parallel-tools_reasoning_cache-read.grok-4.1-fast',
    { shape: 'openrouter', model: 'tools-parallel', options: 'reasoning-tokens=210' },
  ],
];

test.each(bodies)('the body %s is imitated', async (name, asked) => {
  await using provider = await startSimulator();
  const simulated = JSON.parse(await ask(provider.baseUrl, { ...asked, stream: false }));
  const recorded = JSON.parse(providerRecording(name).bytes.toString());
  const without = (fields: readonly string[]) => fields.filter((field) => !/latency_checkpoint/.test(field));
  expect(without(usageFields([simulated]))).toEqual(without(usageFields([recorded])));
  const known = new Set(fieldsOf(recorded).map((field) => field.split(':')[0]!));
  const unknown = fieldsOf(simulated).filter((field) => !known.has(field.split(':')[0]!) && !aside.test(field.split(':')[0]!));
  expect(unknown.map((field) => field.split(':')[0])).toEqual([]);
});

test('whatever the shape, the books hold the whole truth, and what was told only where the usage says it', async () => {
  await using provider = await startSimulator();
  const options = 'prompt-tokens=100; cached-tokens=40; tokens=8; reasoning-tokens=12';
  const all = { promptTokens: 100, cachedTokens: 40, completionTokens: 20, reasoningTokens: 12 };
  const told: Readonly<Record<string, object>> = {
    groq: all,
    deepseek: all,
    xai: all,
    openrouter: { ...all, cacheWriteTokens: 0 },
    azure: all,
    mistral: { ...all, reasoningTokens: null, audioInputTokens: null },
    together: { ...all, reasoningTokens: null },
    perplexity: { ...all, cachedTokens: null, reasoningTokens: null },
  };
  for (const [shape, reported] of Object.entries(told)) {
    for (const stream of [true, false]) {
      await ask(provider.baseUrl, { shape, options, usage: stream, stream });
      const { lastSequence } = provider.simulator.books.summary().entries;
      expect(provider.simulator.books.entries(lastSequence - 1, 1).entries, shape).toMatchObject([
        { outcome: 'finished', billed: { ...all, cacheWriteTokens: null }, reported },
      ]);
    }
  }
});

test('xAI counts reasoning beside the completion, and its cost is that of the recorded model', async () => {
  await using provider = await startSimulator();
  // 68 visible tokens and 266 of reasoning of a prompt of 466, 192 cached: 5,596,400 ticks in the recording.
  const options = 'prompt-tokens=466; cached-tokens=192; tokens=68; reasoning-tokens=266';
  const { usage } = JSON.parse(await ask(provider.baseUrl, { shape: 'xai', options, stream: false }));
  const recorded = eventsIn(
    providerRecording('xai/chat.completions.stream.parallel-tools_reasoning_cache-read.grok-code-fast-1').bytes.toString(),
  ).events.at(-1)?.value.usage;
  expect(usage).toEqual(recorded);
});

test("Together's seed does not survive being a double", async () => {
  await using provider = await startSimulator();
  const [seed = ''] = /(?<="seed":)\d+/.exec(await ask(provider.baseUrl, { shape: 'together' })) ?? [];
  expect(seed).toMatch(/^\d{19}$/);
  expect(String(JSON.parse(seed))).not.toBe(seed);
});

test('Perplexity counts up chunk by chunk to the same total, and repeats what it said only while that is short', async () => {
  await using provider = await startSimulator();
  const short = eventsIn(await ask(provider.baseUrl, { shape: 'perplexity' })).events.map(({ value }) => JSON.stringify(value));
  expect(short.map((chunk) => /"completion_tokens":(\d+)/.exec(chunk)?.[1])).toEqual(['1', '2', '3', '4', '5', '6', '6']);
  expect(short.at(-2)).toContain('"content":"add and multiply two and three"');
  expect(short.at(-1)).toContain('"request_cost":0.005');
  const long = await ask(provider.baseUrl, { shape: 'perplexity', options: 'tokens=2000' });
  expect(long).not.toContain('"message"');
});

test('a stream that fails in its middle fails as the provider fails', async () => {
  await using provider = await startSimulator();
  const ending = async (shape: string) =>
    (await ask(provider.baseUrl, { shape, options: 'error-after=2' }))
      .trimEnd()
      .split(/\r?\n\r?\n/)
      .slice(-2);
  expect((await ending('groq'))[1]).toMatch(/^event: error\ndata: \{"error":/);
  const [chunk, done] = await ending('openrouter');
  expect(chunk).toMatch(/"error":\{"code":502.*"choices":\[\{/);
  expect(done).toBe('data: [DONE]');
  expect((await ending('deepseek'))[1]).toMatch(/^data: \{"error":/);
});

test('nothing is told where usage=none, whatever the shape', async () => {
  await using provider = await startSimulator();
  for (const shape of ['azure', 'deepseek', 'groq', 'mistral', 'mistral-details', 'openrouter', 'perplexity', 'together', 'xai']) {
    for (const stream of [true, false]) {
      const text = await ask(provider.baseUrl, { shape, options: 'usage=none', usage: stream, stream });
      expect(text, shape).not.toContain('prompt_tokens');
    }
  }
  expect(provider.simulator.books.summary()).toMatchObject({ reported: { answers: 0 }, billed: { answers: 18 } });
});
