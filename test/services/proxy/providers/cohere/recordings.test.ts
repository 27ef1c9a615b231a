import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TokenUsage } from '../../../../../schema/values/token-usage.ts';
import { UNKNOWN_USAGE } from '../../../../../schema/values/token-usage.ts';
import type { ProviderRecording } from '../../../../harness/provider-recordings.ts';
import { providerRecording } from '../../../../harness/provider-recordings.ts';
import type { TestProxy } from '../../../../harness/proxy.ts';
import { startProxy, testModel } from '../../../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { serveRecording } from '../../../../harness/serve-recording.ts';

let upstream: ScriptedUpstream;
let proxy: TestProxy;
let client: OpenAI;
/** Of the last answer. */
let requestId: string | null = null;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: { cohere: new URL(upstream.baseUrl).origin },
    protocols: { cohere: 'cohere' },
    providerCredential: { env: 'COHERE_API_KEY' },
    credentials: { COHERE_API_KEY: 'co-secret' },
    models: [testModel('cohere/command-a-03-2025')],
  });
  const noting: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    requestId = response.headers.get('x-request-id');
    return response;
  };
  client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0, fetch: noting });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const asked = { model: 'cohere/command-a-03-2025', messages: [{ role: 'user' as const, content: 'hello' }] };

/** The entry of the last request in the books. */
async function booked(usage: Partial<TokenUsage>, costPico: string): Promise<void> {
  const event = await proxy.eventOf(requestId);
  expect(event).toMatchObject({ outcome: 'succeeded', usage: { ...UNKNOWN_USAGE, ...usage }, costPico });
  expect(event.rawUsage).toContain('"billed_units"');
}

interface Expected {
  readonly reason: string;
  readonly calls: readonly string[];
  readonly text: RegExp;
  readonly usage: Partial<TokenUsage>;
  readonly cost: string;
}

/** The classes and costs by hand, from the billed units and the prices of `testModel`: 1.50 USD a million tokens of input, 2 of output. */
const EXPECTED: readonly (readonly [name: string, expected: Expected])[] = [
  [
    'stream.parallel-tools',
    {
      reason: 'tool_calls',
      calls: ['get_time', 'get_weather'],
      text: /^I will search/,
      usage: { input: 62, output: 28 },
      cost: '149000000',
    },
  ],
  [
    'stream.reasoning',
    { reason: 'stop', calls: [], text: /Yukihiro Matsumoto/, usage: { input: 65, output: 35, reasoning: 28 }, cost: '223500000' },
  ],
  [
    'stream.tool-call',
    { reason: 'tool_calls', calls: ['weather'], text: /^I will use/, usage: { input: 181, output: 34 }, cost: '339500000' },
  ],
  [
    'stream.tool-no-args',
    { reason: 'tool_calls', calls: ['currentTime'], text: /^I will use/, usage: { input: 46, output: 14 }, cost: '97000000' },
  ],
  ['sync.cache-read_image-in', { reason: 'stop', calls: [], text: /red square/, usage: { input: 262, output: 59 }, cost: '511000000' }],
  [
    'sync.parallel-tools',
    {
      reason: 'tool_calls',
      calls: ['dice_roll', 'dice_roll', 'dice_roll'],
      text: /three times/,
      usage: { input: 57, output: 20 },
      cost: '125500000',
    },
  ],
  ['sync.reasoning', { reason: 'stop', calls: [], text: /Matsumoto/, usage: { input: 67, output: 37, reasoning: 29 }, cost: '232500000' }],
  ['sync.text', { reason: 'stop', calls: [], text: /^Hello!/, usage: { input: 1, output: 9 }, cost: '19500000' }],
];

describe('a recorded answer, cut anywhere, is one for the official client', () => {
  test.each(EXPECTED)('%s', async (name, { reason, calls, text, usage, cost }) => {
    const recording: ProviderRecording = providerRecording(`cohere/v2.chat.${name}`);
    serveRecording(upstream, recording);
    const completion =
      recording.events === null
        ? await client.chat.completions.create(asked)
        : await client.chat.completions.stream({ ...asked, stream_options: { include_usage: true } }).finalChatCompletion();
    const [choice] = completion.choices;
    expect([choice?.finish_reason, choice?.message.content]).toEqual([reason, expect.stringMatching(text)]);
    const made = (choice?.message.tool_calls ?? []).filter((call) => call.type === 'function').map((call) => call.function);
    expect(made.map((call) => call.name)).toEqual(calls);
    for (const call of made) expect(JSON.parse(call.arguments)).toBeTypeOf('object');
    expect(completion.usage).toMatchObject({ prompt_tokens: usage.input, completion_tokens: (usage.output ?? 0) + (usage.reasoning ?? 0) });
    await booked(usage, cost);
  });
});

test('a request goes to v2 chat with its key, and says what is not carried', async () => {
  serveRecording(upstream, providerRecording('cohere/v2.chat.sync.text'));
  const { response } = await client.chat.completions.create({ ...asked, n: 2, seed: 7 }).withResponse();
  const { path, headers, body } = upstream.requests.at(-1) ?? {};
  expect([path, headers?.authorization]).toEqual(['/v2/chat', 'Bearer co-secret']);
  expect(JSON.parse(body ?? '')).toEqual({
    model: 'command-a-03-2025',
    messages: [{ role: 'user', content: 'hello' }],
    stream: false,
    seed: 7,
  });
  expect(response.headers.get('x-turnpike-warning')).toContain('n');
});

test('a refusal has its status and words', async () => {
  serveRecording(upstream, providerRecording('cohere/v2.embed.sync.error-404'));
  await expect(client.chat.completions.create(asked)).rejects.toMatchObject({
    status: 404,
    error: { message: expect.stringContaining("model 'nonexistent' not found") },
  });
});
