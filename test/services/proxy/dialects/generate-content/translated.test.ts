import { ApiError, GoogleGenAI, Type } from '@google/genai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { INPUT_CLASSES, OUTPUT_CLASSES, sumClasses } from '../../../../../schema/values/token-usage.ts';
import type { AnswerEvent } from '../../../../../services/proxy/conversation/answer-event.ts';
import type { ProviderDialect } from '../../../../../services/proxy/conversation/dialect.ts';
import { anthropicDialect } from '../../../../../services/proxy/providers/anthropic/anthropic-dialect.ts';
import { converseDialect } from '../../../../../services/proxy/providers/bedrock/bedrock-provider.ts';
import { cohereDialect } from '../../../../../services/proxy/providers/cohere/cohere-provider.ts';
import { PLAIN_READING } from '../../../../../services/proxy/providers/openai/reading.ts';
import { chatProviderDialect } from '../../../../../services/proxy/providers/openai/translated/chat-provider-dialect.ts';
import { HABITS } from '../../../../../services/proxy/providers/openai/translated/habits-of-protocols.ts';
import { readStream } from '../../../../harness/conversations.ts';
import { providerRecording } from '../../../../harness/provider-recordings.ts';
import type { TestProxy } from '../../../../harness/proxy.ts';
import { startProxy, testModel } from '../../../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { serveRecording } from '../../../../harness/serve-recording.ts';

const PROTOCOLS = ['anthropic', 'bedrock', 'cohere', 'deepseek', 'groq', 'mistral', 'openai', 'openrouter', 'perplexity', 'xai'] as const;
type Protocol = (typeof PROTOCOLS)[number];
function dialectOf(protocol: Protocol): ProviderDialect {
  if (protocol === 'anthropic') return anthropicDialect;
  if (protocol === 'bedrock') return converseDialect;
  return protocol === 'cohere' ? cohereDialect : chatProviderDialect(() => '', HABITS[protocol] ?? {}, PLAIN_READING);
}

let upstream: ScriptedUpstream;
let proxy: TestProxy;
let client: GoogleGenAI;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: Object.fromEntries(PROTOCOLS.map((protocol) => [protocol, upstream.baseUrl])),
    protocols: Object.fromEntries(PROTOCOLS.map((protocol) => [protocol, protocol])),
    providerCredential: { env: 'PROVIDER_KEY' },
    credentials: { PROVIDER_KEY: 'secret' },
    models: [
      ...PROTOCOLS.map((protocol) => testModel(`${protocol}/model`)),
      testModel('anthropic/claude', { upstreamModel: 'claude-sonnet-4-6' }),
    ],
  });
  client = new GoogleGenAI({ apiKey: proxy.key, httpOptions: { baseUrl: proxy.url, retryOptions: { attempts: 1 } } });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const sentBody = (): Record<string, unknown> => JSON.parse(upstream.requests.at(-1)?.body ?? '{}');

interface Answered {
  text: string;
  thoughts: string;
  readonly calls: string[];
  reason: string | undefined;
  usage: { promptTokenCount?: number; totalTokenCount?: number } | undefined;
  requestId: string | null;
}

/** What the official client gets, whole or put together of a stream. */
async function ask(model: string, isStream: boolean): Promise<Answered> {
  const asked = { model, contents: 'hello' };
  const answered: Answered = { text: '', thoughts: '', calls: [], reason: undefined, usage: undefined, requestId: null };
  const chunks = isStream ? await client.models.generateContentStream(asked) : [await client.models.generateContent(asked)];
  for await (const { candidates, usageMetadata, sdkHttpResponse } of chunks) {
    const first = candidates?.find(({ index }) => index === 0);
    for (const { text, thought, functionCall } of first?.content?.parts ?? []) {
      if (thought === true) answered.thoughts += text ?? '';
      else answered.text += text ?? '';
      if (functionCall !== undefined) answered.calls.push(`${functionCall.id} ${functionCall.name} ${JSON.stringify(functionCall.args)}`);
    }
    answered.reason = first?.finishReason ?? answered.reason;
    answered.usage = usageMetadata ?? answered.usage;
    answered.requestId = sdkHttpResponse?.headers?.['x-request-id'] ?? answered.requestId;
  }
  return answered;
}

function callsIn(events: readonly AnswerEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.kind !== 'tool_call') return [];
    const pieces = events.filter((other) => other.kind === 'tool_input' && other.call === event.call);
    const input = pieces.map((piece) => (piece.kind === 'tool_input' ? piece.json : '')).join('');
    return [`${event.callId} ${event.name} ${JSON.stringify(JSON.parse(input === '' ? '{}' : input))}`];
  });
}

const textIn = (events: readonly AnswerEvent[], ...kinds: readonly string[]): string =>
  events.map((event) => ('text' in event && kinds.includes(event.kind) && event.choice === 0 ? event.text : '')).join('');

const ANSWERS: readonly (readonly [protocol: Protocol, recording: string])[] = [
  ['anthropic', 'anthropic/messages.stream.message-delta-repeats'],
  ['anthropic', 'anthropic/messages.stream.parallel-tools'],
  ['anthropic', 'anthropic/messages.stream.reasoning_web-search'],
  ['anthropic', 'anthropic/messages.stream.refusal'],
  ['anthropic', 'anthropic/messages.stream.cache-write_stop-length'],
  ['anthropic', 'anthropic/messages.sync.parallel-tools_structured'],
  ['anthropic', 'anthropic/messages.sync.web-search_citations'],
  ['anthropic', 'anthropic/messages.sync.reasoning_cache-write'],
  ['bedrock', 'bedrock/converse.sync.parallel-tools'],
  ['bedrock', 'bedrock/converse-stream.stream.parallel-tools'],
  ['cohere', 'cohere/v2.chat.stream.parallel-tools'],
  ['cohere', 'cohere/v2.chat.sync.reasoning'],
  ['deepseek', 'deepseek/chat.completions.stream.reasoning'],
  ['groq', 'groq/chat.completions.stream.tool-call'],
  ['mistral', 'mistral/chat.completions.stream.incremental-tool-call'],
  ['mistral', 'mistral/chat.completions.sync.reasoning'],
  ['openai', 'openai/chat.completions.stream.parallel-tools'],
  ['openai', 'openai/chat.completions.stream.multi-choice'],
  ['openai', 'openai/chat.completions.stream.stop-length'],
  ['openai', 'openai/chat.completions.sync.web-search_citations'],
  ['openai', 'openai/chat.completions.sync.structured_filtered'],
  ['openrouter', 'openrouter/chat.completions.stream'],
  ['perplexity', 'perplexity/chat.completions.stream.citations'],
  ['xai', 'xai/chat.completions.stream.parallel-tools'],
];

test.each(ANSWERS)('%s: %s, cut anywhere, is content for the official client and in the books', async (protocol, name) => {
  const recording = providerRecording(name);
  serveRecording(upstream, recording);
  const dialect = dialectOf(protocol);
  const isStream = dialect.isStream(
    recording.headers['content-type'] ?? (recording.events === null ? 'application/json' : 'text/event-stream'),
  );
  const answered = await ask(`${protocol}/model`, isStream);

  const events = isStream ? readStream(dialect, recording.bytes).events : (dialect.readAnswer(recording.bytes)?.events ?? []);
  expect(answered.text).toBe(textIn(events, 'text', 'refusal'));
  expect(answered.thoughts).toBe(textIn(events, 'thinking'));
  expect(answered.calls).toEqual(callsIn(events));
  expect(answered.reason).toMatch(/^(?:STOP|MAX_TOKENS|SAFETY)$/);

  const event = await proxy.eventOf(answered.requestId);
  expect(event).toMatchObject({ endpoint: '/v1beta/models/', outcome: 'succeeded' });
  const { usage } = event;
  expect([answered.usage?.promptTokenCount, answered.usage?.totalTokenCount]).toEqual(
    usage === null ? [undefined, undefined] : [sumClasses(usage, INPUT_CLASSES), sumClasses(usage, [...INPUT_CLASSES, ...OUTPUT_CLASSES])],
  );
});

test('thinking and calls can be given back to the provider that signed them, as the client kept them', async () => {
  serveRecording(upstream, providerRecording('anthropic/messages.stream.reasoning_web-search'));
  const chat = client.chats.create({ model: 'anthropic/claude' });
  for await (const _chunk of await chat.sendMessageStream({ message: 'hello' }));
  serveRecording(upstream, providerRecording('anthropic/messages.sync.text'));
  await chat.sendMessage({ message: 'and?' });
  const signatures = readStream(anthropicDialect, providerRecording('anthropic/messages.stream.reasoning_web-search').bytes).events.flatMap(
    (event) => (event.kind === 'thinking_signature' ? [event.signature] : []),
  );
  expect(signatures.length).toBeGreaterThan(0);
  const { messages } = sentBody();
  expect(messages).toMatchObject([{ role: 'user' }, { role: 'assistant' }, { role: 'user' }]);
  for (const signature of signatures) expect(JSON.stringify(messages)).toContain(JSON.stringify(signature));
});

test('the official client asks for what it wants by functions and schemas, of Claude as of OpenAI', async () => {
  const config = {
    systemInstruction: 'Be brief.',
    maxOutputTokens: 64,
    stopSequences: ['END'],
    tools: [{ functionDeclarations: [{ name: 'look', parameters: { type: Type.OBJECT, properties: { at: { type: Type.STRING } } } }] }],
    responseMimeType: 'application/json',
    responseSchema: { type: Type.OBJECT, properties: { a: { type: Type.INTEGER, format: 'int32' } }, required: ['a'] },
  };
  const contents = [{ role: 'user', parts: [{ text: 'hi' }, { inlineData: { mimeType: 'image/png', data: 'AA-_' } }] }];
  serveRecording(upstream, providerRecording('anthropic/messages.sync.text'));
  await client.models.generateContent({ model: 'anthropic/claude', contents, config });
  const schema = { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'], additionalProperties: false };
  expect(sentBody()).toMatchObject({
    system: [{ type: 'text', text: 'Be brief.' }],
    max_tokens: 64,
    stop_sequences: ['END'],
    tools: [{ name: 'look', input_schema: { type: 'object', properties: { at: { type: 'string' } } } }],
    output_config: { format: { type: 'json_schema', schema } },
    messages: [{ content: [{ text: 'hi' }, { type: 'image', source: { media_type: 'image/png', data: 'AA+/' } }] }],
  });
  serveRecording(upstream, providerRecording('openai/chat.completions.sync.text'));
  await client.models.generateContent({ model: 'openai/model', contents, config });
  expect(sentBody()).toMatchObject({
    messages: [{ content: 'Be brief.' }, { content: [{ text: 'hi' }, { image_url: { url: 'data:image/png;base64,AA+/' } }] }],
    stop: ['END'],
    response_format: { type: 'json_schema', json_schema: { schema, strict: true } },
  });
});

test('what is asked for as a list is a list of one, and a route to a model of another dialect works', async () => {
  serveRecording(upstream, providerRecording('openai/chat.completions.sync.text'));
  const body = { contents: { role: 'user', parts: { text: 'hello' } } };
  const refused = await proxy.post('/v1beta/models/openai/model:streamGenerateContent', body);
  expect(refused.status).toBe(400);
  const response = await proxy.post('/v1beta/models/openai/model:streamGenerateContent', { contents: [body.contents] });
  expect(await response.json()).toMatchObject([{ candidates: [{ finishReason: 'STOP', index: 0 }], modelVersion: 'openai/model' }]);
  expect(sentBody().stream).toBeUndefined();
});

test('what is not carried is told, and what would make the answer wrong is refused before anybody is called', async () => {
  serveRecording(upstream, providerRecording('openai/chat.completions.sync.text'));
  const config = { safetySettings: [], labels: { a: 'b' }, tools: [{ googleSearch: {} }] };
  const { sdkHttpResponse } = await client.models.generateContent({ model: 'openai/model', contents: 'hi', config });
  expect(sdkHttpResponse?.headers?.['x-turnpike-warning']).toBe('not_carried; fields=tools[].googleSearch,labels');
  const before = upstream.requests.length;
  const asked = { model: 'openai/model', contents: 'hi', config: { tools: [{ codeExecution: {} }] } };
  await expect(client.models.generateContent(asked)).rejects.toMatchObject({
    status: 400,
    message: expect.stringMatching(/codeExecution/),
  });
  expect(upstream.requests.length).toBe(before);
});

test.each<[protocol: Protocol, recording: string, status: number]>([
  ['anthropic', 'anthropic/messages.sync.error-529', 502],
  ['anthropic', 'anthropic/messages.sync.error-400_context', 400],
  ['openai', 'openai/chat.completions.sync.error-429', 429],
])('%s: %s is an error of Google for the official client', async (protocol, name, status) => {
  serveRecording(upstream, providerRecording(name));
  const error = await client.models.generateContent({ model: `${protocol}/model`, contents: 'hi' }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status, message: expect.stringContaining('"domain":"turnpike"') });
});

test('a stream that breaks is an error for the official client, and not complete', async () => {
  const recording = providerRecording('anthropic/messages.stream.text');
  serveRecording(upstream, { ...recording, bytes: Buffer.from((recording.events ?? []).slice(0, 5).join('')) });
  await expect(ask('anthropic/model', true)).rejects.toThrow(/upstream_broken_stream/);
});
