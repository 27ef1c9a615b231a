import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UNKNOWN_USAGE } from '../../../../../schema/values/token-usage.ts';
import { providerRecording } from '../../../../harness/provider-recordings.ts';
import type { TestProxy } from '../../../../harness/proxy.ts';
import { startProxy, testModel } from '../../../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { serveRecording } from '../../../../harness/serve-recording.ts';

let upstream: ScriptedUpstream;
let proxy: TestProxy;
let client: OpenAI;
/** Of the answer that came last. */
let requestId: string | null = null;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: { gemini: upstream.baseUrl },
    protocols: { gemini: 'gemini' },
    providerCredential: { env: 'GEMINI_API_KEY' },
    credentials: { GEMINI_API_KEY: 'AIza-secret' },
    models: [testModel('gemini/gemini-3-flash-preview')],
  });
  client = new OpenAI({
    baseURL: proxy.baseUrl,
    apiKey: proxy.key,
    maxRetries: 0,
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      requestId = response.headers.get('x-request-id');
      return response;
    },
  });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const asked = { model: 'gemini/gemini-3-flash-preview', messages: [{ role: 'user' as const, content: 'hello' }] };

type Expected = readonly [
  recording: string,
  said: RegExp | null,
  calls: readonly string[],
  reason: string,
  usage: Readonly<Record<string, number>> | null,
  cost: string | null,
];
// By hand from the recordings; 1.5 USD a million input, 2 output and reasoning, 0.15 cache reads.
const ANSWERS: readonly Expected[] = [
  [
    'gemini/generatecontent.sync.cache-read_web-search',
    /^The latest stable version of Ruby is \*\*4\.0\.6/,
    [],
    'stop',
    { input: 351, cacheRead: 217, output: 305, reasoning: 1027 },
    '3223050000',
  ],
  ['gemini/generatecontent.sync.code-exec', /^The exact product/, [], 'stop', { input: 234, output: 122, reasoning: 87 }, '769000000'],
  [
    'gemini/generatecontent.sync.image-in',
    /^This is a cute/,
    [],
    'stop',
    { input: 14, inputImage: 258, output: 86, reasoning: 641 },
    '1862000000',
  ],
  [
    'gemini/generatecontent.sync.parallel-tools',
    null,
    ['wxvlv0tv add {"b":3,"a":2}', '75p2opbh multiply {"b":3,"a":2}'],
    'tool_calls',
    { input: 299, output: 32, reasoning: 495 },
    '1502500000',
  ],
  ['gemini/generatecontent.sync.stop-length', null, [], 'length', { input: 15, output: 0, reasoning: 2 }, '26500000'],
  ['gemini/generatecontent.sync.text', /^The capital of France is \*\*Paris\*\*\.$/, [], 'stop', { input: 8, output: 8 }, '28000000'],
  [
    'gemini/generatecontent.sync.tool-call_reasoning',
    null,
    ['call_883098 weather {"latitude":"52.5200","longitude":"13.4050"}'],
    'tool_calls',
    { input: 120, output: 32, reasoning: 132 },
    '508000000',
  ],
  [
    'gemini/generatecontent.sync.tool-result-in',
    /^I received a document/,
    [],
    'stop',
    { input: 115, cacheRead: 230, output: 37 },
    '281000000',
  ],
  [
    'gemini/generatecontent.sync.video-in',
    /^Sure, here is a summary/,
    [],
    'stop',
    { input: 3110, inputAudio: 1500, output: 101 },
    '7117000000',
  ],
  [
    'gemini/streamgeneratecontent.stream.image-in',
    /^Of course!.*trail\.$/s,
    [],
    'stop',
    { input: 14, inputImage: 258, output: 200, reasoning: 1114 },
    '3036000000',
  ],
  [
    'gemini/streamgeneratecontent.stream.parallel-tools',
    null,
    ['call_fwCzaajKAZDmz7IP9Pvy-AE_0_0 add {"b":3,"a":2}', 'call_fwCzaajKAZDmz7IP9Pvy-AE_0_1 multiply {"a":2,"b":3}'],
    'tool_calls',
    { input: 121, output: 36, reasoning: 193 },
    '639500000',
  ],
  [
    'gemini/streamgeneratecontent.stream.reasoning_structured',
    /"company_name":"TechCorp"/,
    [],
    'stop',
    { input: 11, output: 14, reasoning: 381 },
    '806500000',
  ],
  ['gemini/streamgeneratecontent.stream.text', /^The capital of France is Paris\.\n$/, [], 'stop', { input: 13, output: 8 }, '35500000'],
  ['gemini/streamgeneratecontent.stream.tool-result-in', /^5 times 3 is 15\.$/, [], 'stop', { input: 121, output: 9 }, '199500000'],
  [
    'vertex/streamgeneratecontent.stream.streamed-function',
    null,
    [
      'call_dqHOab6xGLzWodAPkPuViA4_0_0 getWeather {"location":"Boston"}',
      'call_dqHOab6xGLzWodAPkPuViA4_0_1 getWeather {"location":"San Francisco"}',
    ],
    'tool_calls',
    { input: 26, output: 23, reasoning: 132 },
    '349000000',
  ],
  ['vertex/generatecontent.sync.filtered', null, [], 'content_filter', null, null],
];

const ask = (stream: boolean): Promise<OpenAI.ChatCompletion> =>
  stream
    ? client.chat.completions.stream({ ...asked, stream_options: { include_usage: true } }).finalChatCompletion()
    : client.chat.completions.create(asked);

test.each(ANSWERS)(
  '%s, cut anywhere, is an answer for the official client and in the books',
  async (name, said, calls, reason, usage, cost) => {
    const recording = providerRecording(name);
    serveRecording(upstream, recording);
    const completion = await ask(recording.events !== null);
    const [choice] = completion.choices;
    if (said === null) expect(choice?.message.content ?? '').toBe('');
    else expect(choice?.message.content).toMatch(said);
    const made = (choice?.message.tool_calls ?? []).map((call) =>
      call.type === 'function' ? `${call.id} ${call.function.name} ${call.function.arguments}` : '',
    );
    expect(made).toEqual(calls);
    expect(choice?.finish_reason).toBe(reason);
    const event = await proxy.eventOf(requestId);
    expect(event).toMatchObject({ outcome: 'succeeded', usage: usage === null ? null : { ...UNKNOWN_USAGE, ...usage }, costPico: cost });
    if (usage === null) return;
    expect(event.rawUsage).toMatch(/^{"/);
    const total = Object.values(usage).reduce((sum, tokens) => sum + tokens, 0);
    expect(completion.usage?.total_tokens).toBe(total);
  },
);

test('the key goes in its own header, never in the address; the request is in the words of Google', async () => {
  serveRecording(upstream, providerRecording('gemini/generatecontent.sync.text'));
  await client.chat.completions.create({ ...asked, max_completion_tokens: 7 });
  const { path, headers, body = '' } = upstream.requests.at(-1) ?? {};
  expect([path, headers?.['x-goog-api-key'], headers?.authorization]).toEqual([
    '/v1/models/gemini-3-flash-preview:generateContent',
    'AIza-secret',
    undefined,
  ]);
  expect(JSON.parse(body)).toEqual({ contents: [{ role: 'user', parts: [{ text: 'hello' }] }], generationConfig: { maxOutputTokens: 7 } });
});

test('what is not carried is told in a header', async () => {
  serveRecording(upstream, providerRecording('gemini/generatecontent.sync.text'));
  const { response } = await client.chat.completions.create({ ...asked, user: 'u' }).withResponse();
  expect(response.headers.get('x-turnpike-warning')).toContain('user');
});

test.each<[recording: string, status: number, code: string, retryAfter: string | null]>([
  ['gemini/generatecontent.sync.error-403', 502, 'upstream_credentials_rejected', null],
  ['gemini/generatecontent.sync.error-404', 404, 'NOT_FOUND', null],
  ['gemini/generatecontent.sync.error-429-retry-info', 429, 'RESOURCE_EXHAUSTED', '35'],
  ['gemini/generatecontent.sync.error-429.', 429, 'RESOURCE_EXHAUSTED', '48'],
  ['gemini/generatecontent.sync.error-503', 502, 'UNAVAILABLE', null],
])('%s reaches the official client by the client contract', async (name, status, code, retryAfter) => {
  serveRecording(upstream, providerRecording(name));
  const error = await client.chat.completions.create(asked).catch((thrown: unknown) => thrown);
  if (!(error instanceof OpenAI.APIError)) throw new Error('no error of the client');
  expect([error.status, error.code]).toEqual([status, code]);
  if (retryAfter !== null) expect(error.headers?.get('retry-after')).toBe(retryAfter);
});

test('a stream that ends before its answer has ended is an error for the client, and no success in the books', async () => {
  const { events, ...recording } = providerRecording('gemini/streamgeneratecontent.stream.text');
  serveRecording(upstream, { ...recording, events, bytes: Buffer.from(events?.slice(0, 2).join('') ?? '', 'utf8') });
  await expect(client.chat.completions.stream(asked).finalChatCompletion()).rejects.toThrow();
  const event = await proxy.eventOf(requestId);
  expect(event.outcome).not.toBe('succeeded');
});

test('what has no place in the answer is told with its head, and in a stream by a comment before its end', async () => {
  serveRecording(upstream, providerRecording('gemini/generatecontent.sync.code-exec'));
  const { response } = await client.chat.completions.create(asked).withResponse();
  const warning = 'answer_not_carried; fields=executableCode,codeExecutionResult';
  expect(response.headers.get('x-turnpike-warning')).toBe(warning);
  const { bytes } = providerRecording('gemini/generatecontent.sync.code-exec');
  const stream = Buffer.from(`data: ${bytes.toString('utf8')}\r\n\r\n`);
  upstream.script = (answer) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.end(stream);
  };
  const text = await (await proxy.chat({ ...asked, stream: true })).text();
  expect(text).toContain(`\n\n: x-turnpike-warning: ${warning}\n\ndata: [DONE]`);
  expect((await client.chat.completions.stream(asked).finalChatCompletion()).choices[0]?.finish_reason).toBe('stop');
});

test('a picture that the model drew is an image of the message, whole and in a stream', async () => {
  const parts = [{ text: 'Here:' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }];
  const answer = JSON.stringify({ candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }], usageMetadata: {} });
  upstream.script = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(answer);
  };
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' }, index: 0 };
  const whole = await client.chat.completions.create(asked);
  expect(whole.choices[0]?.message).toMatchObject({ content: 'Here:', images: [image] });
  upstream.script = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`data: ${answer}\r\n\r\n`);
  };
  const deltas: unknown[] = [];
  for await (const { choices } of await client.chat.completions.create({ ...asked, stream: true })) deltas.push(choices[0]?.delta);
  expect(deltas).toContainEqual({ images: [image] });
});
