import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProviderProtocol } from '../../../../schema/values/provider-protocol.ts';
import { PROVIDER_PROTOCOLS } from '../../../../schema/values/provider-protocol.ts';
import { UNKNOWN_USAGE } from '../../../../schema/values/token-usage.ts';
import type { ProviderRecording } from '../../../harness/provider-recordings.ts';
import { chatRecordings } from '../../../harness/provider-recordings.ts';
import type { TestProxy } from '../../../harness/proxy.ts';
import { startProxy, testModel } from '../../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../../harness/scripted-upstream.ts';
import { answerJson, DONE, startScriptedUpstream } from '../../../harness/scripted-upstream.ts';
import { serveRecording } from '../../../harness/serve-recording.ts';
import { RECORDED_USAGE } from './recorded-usage.ts';

const messages = [{ role: 'user' as const, content: 'hello' }];

let upstream: ScriptedUpstream;
let proxy: TestProxy;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: Object.fromEntries(PROVIDER_PROTOCOLS.map((protocol) => [protocol, upstream.baseUrl])),
    protocols: Object.fromEntries(PROVIDER_PROTOCOLS.map((protocol) => [protocol, protocol])),
    providerCredential: { env: 'PROVIDER_KEY' },
    credentials: { PROVIDER_KEY: 'sk-provider' },
    models: PROVIDER_PROTOCOLS.map((protocol) => testModel(`${protocol}/model`)),
  });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const serve = (recording: ProviderRecording): void => serveRecording(upstream, recording);

function protocolOf({ name }: ProviderRecording): ProviderProtocol {
  const folder = name.slice(0, name.indexOf('/'));
  const protocol = PROVIDER_PROTOCOLS.find((candidate) => candidate === folder);
  if (protocol === undefined) throw new Error(`no protocol for ${name}`);
  return protocol;
}

/** A request like the recorded one, as far as it decides how the answer is read. */
function requestOf(recording: ProviderRecording) {
  return {
    model: `${protocolOf(recording)}/model`,
    messages,
    ...(typeof recording.request.n === 'number' ? { n: recording.request.n } : {}),
  };
}

/** What passes of a recorded stream: all of it, up to an error; Perplexity may leave out `[DONE]`. */
function passedOf(events: readonly string[]): string {
  const failing = events.findIndex((event) => /"error":\s?\{/.test(event));
  if (failing >= 0) return events.slice(0, failing + 1).join('');
  return events.join('') + (events.some((event) => event.includes('[DONE]')) ? '' : DONE);
}

const named = (recordings: readonly ProviderRecording[]) => recordings.map((recording) => [recording.name, recording] as const);
const answers = chatRecordings.filter(({ status }) => status === 200);
const isWholeStream = ({ events, bytes }: ProviderRecording): boolean =>
  // Some begin in the middle of an answer: without a role the accumulator refuses them from the provider too.
  events !== null && !bytes.includes('"error":') && bytes.includes('"role":');

test('every recorded answer is in the table of what it used', () => {
  expect(RECORDED_USAGE.map(([name]) => name)).toEqual(answers.map(({ name }) => name));
});

describe('a recorded answer, cut anywhere', () => {
  test.each(named(answers))('%s passes to the byte and is in the books by its own numbers', async (name, recording) => {
    serve(recording);
    const { events } = recording;
    const stream = events === null ? {} : { stream: true, stream_options: { include_usage: true } };
    const response = await proxy.chat({ ...requestOf(recording), ...stream });
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(text).toBe(events === null ? recording.bytes.toString('utf8') : passedOf(events));

    const [, usage = null, cost = null, reportedCost = null] = RECORDED_USAGE.find(([recorded]) => recorded === name) ?? [];
    const event = await proxy.eventOf(response.headers.get('x-request-id'));
    expect(event.outcome).toBe(text.includes('"error":') && events !== null ? 'failed' : 'succeeded');
    expect(event.usage).toEqual(usage === null ? null : { ...UNKNOWN_USAGE, ...usage });
    // Usage that is not there is unknown, and so is the cost.
    if (usage === null) expect([event.rawUsage, event.usageFlags, event.unrated]).toEqual([null, ['usage_missing'], 'usage_missing']);
    else expect(event.rawUsage).not.toBeNull();
    expect([event.costPico, event.reportedCostPico ?? null]).toEqual([cost, reportedCost]);
  });

  test.each(named(answers.filter(({ events }) => events === null)))('%s is one for the official client', async (_name, recording) => {
    serve(recording);
    const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0 });
    const answer = await client.chat.completions.create(requestOf(recording));
    expect(answer).toEqual(JSON.parse(recording.bytes.toString('utf8')));
  });

  test.each(named(answers.filter(isWholeStream)))('%s passes the accumulator of the official client', async (_name, recording) => {
    const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0 });
    for (const asked of [{}, { stream_options: { include_usage: true } }]) {
      serve(recording);
      const final = await client.chat.completions.stream({ ...requestOf(recording), ...asked }).finalChatCompletion();
      expect(final.choices.length).toBeGreaterThan(0);
      for (const choice of final.choices) expect(choice.finish_reason).toBeTruthy();
    }
  });
});

describe('a recorded refusal', () => {
  const refusals: readonly (readonly [name: string, status: number, code: string | null, asItCame: boolean])[] = [
    ['azure-openai/chat.completions.sync.error-400-content-filter', 400, 'content_filter', true],
    ['azure-openai/chat.completions.sync.error-404', 404, 'DeploymentNotFound', true],
    ['deepseek/chat.completions.sync.error-400_context', 400, 'context_length_exceeded', false],
    ['groq/chat.completions.sync.error-400', 400, 'tool_use_failed', true],
    ['groq/chat.completions.sync.error-404', 404, 'model_not_found', true],
    ['groq/chat.completions.sync.error-429', 429, 'rate_limit_exceeded', true],
    ['ollama/openai-compat.chat.completions.sync.error-400_context', 400, 'context_length_exceeded', false],
    ['ollama/openai-compat.chat.completions.sync.error-401', 502, 'upstream_credentials_rejected', false],
    ['openai/chat.completions.sync.error-404', 404, 'model_not_found', true],
    ['openai/chat.completions.sync.error-429', 429, 'rate_limit_exceeded', true],
    ['openrouter/chat.completions.sync.error-429', 429, '429', false],
    ['perplexity/chat.completions.sync.error-401', 502, 'upstream_credentials_rejected', false],
  ];
  const recorded = chatRecordings.filter(({ status }) => status >= 400);

  test('is in the table of what becomes of it', () => {
    expect(recorded.map(({ name }) => refusals.filter(([begin]) => name.startsWith(begin)).length)).toEqual(recorded.map(() => 1));
  });

  test.each(named(recorded))('%s reaches the application by the client contract', async (name, recording) => {
    serve(recording);
    const [, status, code, asItCame] = refusals.find(([begin]) => name.startsWith(begin)) ?? [];
    const response = await proxy.chat(requestOf(recording));
    const text = await response.text();
    expect([response.status, JSON.parse(text).error.code]).toEqual([status, code]);
    expect(text === recording.bytes.toString('utf8')).toBe(asItCame);
    if (status === 429) expect(response.headers.get('retry-after')).toBe(recording.headers['retry-after'] ?? '1');
    const event = await proxy.eventOf(response.headers.get('x-request-id'));
    expect(event).toMatchObject({ outcome: 'failed', status, errorCode: code, costPico: '0', attempts: [{ status: recording.status }] });
  });
});

const OTHER_DIALECTS: readonly string[] = ['anthropic', 'bedrock', 'cohere', 'gemini', 'vertex'];
const inOpenaisDialect = PROVIDER_PROTOCOLS.filter((protocol) => !OTHER_DIALECTS.includes(protocol));
test.each(inOpenaisDialect)('%s is told its credential in its own header, and no other', async (protocol) => {
  upstream.script = (response) => answerJson(response, {});
  await (await proxy.chat({ model: `${protocol}/model`, messages })).arrayBuffer();
  const { path, headers } = upstream.requests.at(-1) ?? {};
  expect([path, headers?.authorization, headers?.['api-key']]).toEqual(
    protocol === 'azure-openai'
      ? ['/v1/chat/completions', undefined, 'sk-provider']
      : ['/v1/chat/completions', 'Bearer sk-provider', undefined],
  );
});
