import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { INPUT_CLASSES, OUTPUT_CLASSES, sumClasses } from '../../../../../schema/values/token-usage.ts';
import type { AnswerEvent } from '../../../../../services/proxy/conversation/answer-event.ts';
import type { ProviderDialect } from '../../../../../services/proxy/conversation/dialect.ts';
import { anthropicDialect } from '../../../../../services/proxy/providers/anthropic/anthropic-dialect.ts';
import { cohereDialect } from '../../../../../services/proxy/providers/cohere/cohere-provider.ts';
import { geminiDialect } from '../../../../../services/proxy/providers/gemini/gemini-dialect.ts';
import { PLAIN_READING } from '../../../../../services/proxy/providers/openai/reading.ts';
import { chatProviderDialect } from '../../../../../services/proxy/providers/openai/translated/chat-provider-dialect.ts';
import { HABITS } from '../../../../../services/proxy/providers/openai/translated/habits-of-protocols.ts';
import { readStream } from '../../../../harness/conversations.ts';
import type { ProviderRecording } from '../../../../harness/provider-recordings.ts';
import { providerRecording } from '../../../../harness/provider-recordings.ts';
import type { TestProxy } from '../../../../harness/proxy.ts';
import { startProxy, testModel } from '../../../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { serveRecording } from '../../../../harness/serve-recording.ts';

const PROTOCOLS = ['anthropic', 'cohere', 'deepseek', 'gemini', 'huggingface', 'mistral', 'ollama', 'perplexity', 'together'] as const;
type Protocol = (typeof PROTOCOLS)[number];
function dialectOf(protocol: Protocol): ProviderDialect {
  if (protocol === 'anthropic') return anthropicDialect;
  if (protocol === 'gemini') return geminiDialect;
  return protocol === 'cohere' ? cohereDialect : chatProviderDialect(() => '', HABITS[protocol] ?? {}, PLAIN_READING);
}

let upstream: ScriptedUpstream;
let proxy: TestProxy;
let client: OpenAI;
/** Of the answer that came last. */
let requestId: string | null = null;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: Object.fromEntries(PROTOCOLS.map((protocol) => [protocol, upstream.baseUrl])),
    protocols: Object.fromEntries(PROTOCOLS.map((protocol) => [protocol, protocol])),
    providerCredential: { env: 'PROVIDER_KEY' },
    credentials: { PROVIDER_KEY: 'secret' },
    models: PROTOCOLS.map((protocol) => testModel(`${protocol}/model`)),
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

/** What the provider said, as its own dialect is read. */
function eventsOf({ events, bytes }: ProviderRecording, dialect: ProviderDialect): readonly AnswerEvent[] {
  return events === null ? (dialect.readAnswer(bytes)?.events ?? []) : readStream(dialect, bytes).events;
}

function callsIn(events: readonly AnswerEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.kind !== 'tool_call') return [];
    const pieces = events.filter((other) => other.kind === 'tool_input' && other.call === event.call);
    const input = pieces.map((piece) => (piece.kind === 'tool_input' ? piece.json : '')).join('');
    return [`${event.callId} ${event.name} ${input === '' ? '{}' : input}`];
  });
}

/** A refusal in words is a whole answer; without any it is a filter's. */
function statusOf(events: readonly AnswerEvent[]): string | null {
  const finished = events.find((event) => event.kind === 'finished');
  if (finished?.kind !== 'finished') return null;
  const isSaid = events.some((event) => event.kind === 'refusal');
  return finished.reason === 'length' || (finished.reason === 'refused' && !isSaid) ? 'incomplete' : 'completed';
}

const ANSWERS: readonly (readonly [protocol: Protocol, recording: string])[] = [
  ['gemini', 'gemini/generatecontent.sync.cache-read_web-search'],
  ['gemini', 'gemini/generatecontent.sync.parallel-tools'],
  ['gemini', 'gemini/generatecontent.sync.stop-length'],
  ['gemini', 'gemini/generatecontent.sync.tool-call_reasoning'],
  ['gemini', 'gemini/streamgeneratecontent.stream.image-in'],
  ['gemini', 'gemini/streamgeneratecontent.stream.parallel-tools'],
  ['gemini', 'gemini/streamgeneratecontent.stream.reasoning_structured'],
  ['gemini', 'vertex/streamgeneratecontent.stream.streamed-function'],
  ['gemini', 'vertex/generatecontent.sync.filtered'],
  ['anthropic', 'anthropic/messages.stream.message-delta-repeats'],
  ['anthropic', 'anthropic/messages.stream.parallel-tools'],
  ['anthropic', 'anthropic/messages.stream.reasoning_web-search'],
  ['anthropic', 'anthropic/messages.stream.refusal'],
  ['anthropic', 'anthropic/messages.stream.cache-write_stop-length'],
  ['anthropic', 'anthropic/messages.sync.parallel-tools_structured'],
  ['anthropic', 'anthropic/messages.sync.web-search_citations'],
  ['anthropic', 'anthropic/messages.sync.reasoning_cache-write'],
  ['cohere', 'cohere/v2.chat.stream.parallel-tools'],
  ['cohere', 'cohere/v2.chat.stream.tool-no-args'],
  ['cohere', 'cohere/v2.chat.sync.reasoning'],
  ['deepseek', 'deepseek/chat.completions.stream.reasoning'],
  ['deepseek', 'deepseek/chat.completions.sync.parallel-tools'],
  ['huggingface', 'huggingface/chat.completions.stream.parallel-tools'],
  ['mistral', 'mistral/chat.completions.stream.reasoning'],
  ['mistral', 'mistral/chat.completions.sync.reasoning'],
  ['mistral', 'mistral/chat.completions.stream.incremental-tool-call'],
  ['ollama', 'ollama/openai-compat.chat.completions.stream.tool-call'],
  ['perplexity', 'perplexity/chat.completions.stream.citations'],
  ['perplexity', 'perplexity/chat.completions.sync.structured'],
  ['together', 'together/chat.completions.stream.tool-call'],
];

test.each(ANSWERS)('%s: %s, cut anywhere, is a response for the official client and in the books', async (protocol, name) => {
  const recording = providerRecording(name);
  serveRecording(upstream, recording);
  const asked = { model: `${protocol}/model`, input: 'hello' };
  const response = await (recording.events === null ? client.responses.create(asked) : client.responses.stream(asked).finalResponse());

  const events = eventsOf(recording, dialectOf(protocol));
  expect(response.output_text).toBe(events.map((event) => (event.kind === 'text' ? event.text : '')).join(''));
  const calls = response.output.flatMap((item) =>
    item.type === 'function_call' ? [`${item.call_id} ${item.name} ${item.arguments}`] : [],
  );
  expect(calls).toEqual(callsIn(events));
  expect(response.status).toBe(statusOf(events));

  const event = await proxy.eventOf(requestId);
  expect(event).toMatchObject({ endpoint: '/v1/responses', outcome: 'succeeded', modelRequested: asked.model });
  expect([response.id, response.model]).toEqual([`resp_${requestId?.slice('req_'.length)}`, asked.model]);
  const { usage } = event;
  expect([response.usage?.input_tokens ?? null, response.usage?.output_tokens ?? null]).toEqual(
    usage === null ? [null, null] : [sumClasses(usage, INPUT_CLASSES), sumClasses(usage, OUTPUT_CLASSES)],
  );
});

test('what is not carried is told', async () => {
  serveRecording(upstream, providerRecording('gemini/generatecontent.sync.text'));
  const asked = { model: 'gemini/model', input: 'hello', store: true, max_tool_calls: 2 };
  const { response } = await client.responses.create(asked).withResponse();
  expect(response.headers.get('x-turnpike-warning')).toMatch(/store.*max_tool_calls|max_tool_calls.*store/);
});

test('an earlier response is refused before anybody is called', async () => {
  const before = upstream.requests.length;
  const asked = { model: 'gemini/model', input: 'and?', previous_response_id: 'resp_1' };
  await expect(client.responses.create(asked)).rejects.toMatchObject({
    status: 400,
    code: 'invalid_request',
    param: 'previous_response_id',
  });
  expect(upstream.requests.length).toBe(before);
});

test('a stream that breaks ends with an error for the official client, and is not complete', async () => {
  const recording = providerRecording('gemini/streamgeneratecontent.stream.image-in');
  const half = Buffer.from((recording.events ?? []).slice(0, 2).join(''));
  serveRecording(upstream, { ...recording, bytes: half });
  const kinds: string[] = [];
  const read = async (): Promise<void> => {
    for await (const event of await client.responses.create({ model: 'gemini/model', input: 'hello', stream: true }))
      kinds.push(event.type);
  };
  await expect(read()).rejects.toThrow(OpenAI.APIError);
  expect(kinds.at(-1)).toBe('response.output_text.delta');
  expect(await proxy.eventOf(requestId)).toMatchObject({ outcome: 'failed', errorCode: 'upstream_broken_stream' });
});
