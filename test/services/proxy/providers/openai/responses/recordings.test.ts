import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UNKNOWN_USAGE } from '../../../../../../schema/values/token-usage.ts';
import type { ProviderRecording } from '../../../../../harness/provider-recordings.ts';
import { responsesRecordings } from '../../../../../harness/provider-recordings.ts';
import type { TestProxy } from '../../../../../harness/proxy.ts';
import { startProxy, testModel } from '../../../../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../../../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../../../../harness/scripted-upstream.ts';
import { serveRecording } from '../../../../../harness/serve-recording.ts';
import { RECORDED_RESPONSES } from './recorded-responses.ts';

const PROTOCOLS = ['openai', 'azure-openai', 'openrouter', 'xai'] as const;

let upstream: ScriptedUpstream;
let proxy: TestProxy;
let client: OpenAI;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: Object.fromEntries(PROTOCOLS.map((protocol) => [protocol, upstream.baseUrl])),
    protocols: Object.fromEntries(PROTOCOLS.map((protocol) => [protocol, protocol])),
    providerOptions: { servesResponses: true },
    models: PROTOCOLS.map((protocol) => testModel(`${protocol}/model`)),
  });
  client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0 });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const named = (recordings: readonly ProviderRecording[]) => recordings.map((recording) => [recording.name, recording] as const);
const requestOf = ({ name }: ProviderRecording) => ({ model: `${name.slice(0, name.indexOf('/'))}/model`, input: 'hello' });
const post = (body: object): Promise<Response> =>
  fetch(`${proxy.baseUrl}/responses`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${proxy.key}` },
  });

const FAILED = 'openai/responses.stream.error-event-then-failed';
const answers = responsesRecordings.filter(({ name, status }) => status === 200 && !name.startsWith(FAILED));
const refusals = responsesRecordings.filter(({ status }) => status >= 400);

test('every recorded answer is in the table of what it used', () => {
  expect(RECORDED_RESPONSES.map(({ name }) => name)).toEqual(answers.map(({ name }) => name));
});

describe('a recorded response, cut anywhere', () => {
  test.each(named(answers))('%s passes to the byte and is in the books by its own numbers', async (name, recording) => {
    serveRecording(upstream, recording);
    const { events, bytes } = recording;
    const response = await post({ ...requestOf(recording), stream: events !== null });
    expect([response.status, await response.text()]).toEqual([200, bytes.toString('utf8')]);
    expect(upstream.requests.at(-1)?.path).toBe('/v1/responses');
    expect(JSON.parse(upstream.requests.at(-1)?.body ?? '')).toEqual({ model: 'model', input: 'hello', stream: events !== null });

    const recorded = RECORDED_RESPONSES.find((candidate) => candidate.name === name);
    const event = await proxy.eventOf(response.headers.get('x-request-id'));
    const {
      usage = null,
      searches = null,
      cost = null,
      unrated = null,
      reportedCost = null,
      finishReason = 'stop',
      tier = 'default',
    } = recorded ?? {};
    expect(event.usage).toEqual(usage === null ? null : { ...UNKNOWN_USAGE, ...usage });
    expect(event.units).toEqual(searches === null ? null : { searches, images: null, audioSeconds: null });
    expect([event.endpoint, event.outcome, event.finishReason, event.serviceTier]).toEqual([
      '/v1/responses',
      'succeeded',
      finishReason,
      tier,
    ]);
    expect([event.costPico, event.unrated, event.reportedCostPico ?? null]).toEqual([cost, unrated, reportedCost]);
    expect(event.rawUsage === null).toBe(usage === null);
    if (event.rawUsage !== null) expect(bytes.includes(event.rawUsage)).toBe(true);
  });

  test.each(named(answers))('%s is one for the official client', async (_name, recording) => {
    serveRecording(upstream, recording);
    if (recording.events === null) {
      const { output_text: _derived, ...response } = await client.responses.create(requestOf(recording));
      expect(response).toEqual(JSON.parse(recording.bytes.toString('utf8')));
      return;
    }
    const final = await client.responses.stream(requestOf(recording)).finalResponse();
    const last = JSON.parse((recording.events.findLast((event) => event.trim() !== '') ?? '').replace(/^event:.*\ndata:/, ''));
    expect([final.id, final.status, final.usage]).toEqual([last.response.id, last.response.status, last.response.usage]);
    expect(final.output.length).toBe(last.response.output.length);
  });
});

test('an error before anything was said is an HTTP error, of which the operator hears and the application learns nothing', async () => {
  const recording = responsesRecordings.find(({ name }) => name.startsWith(FAILED));
  if (recording === undefined) throw new Error('no recording');
  serveRecording(upstream, recording);
  const response = await post({ ...requestOf(recording), stream: true });
  const { error } = JSON.parse(await response.text());
  expect([response.status, error.code]).toEqual([502, 'upstream_credentials_rejected']);
  expect(error.message).not.toContain('quota');
  const event = await proxy.eventOf(response.headers.get('x-request-id'));
  expect(event).toMatchObject({ outcome: 'failed', errorCode: 'upstream_credentials_rejected', usage: null, costPico: null });
});

describe('a recorded refusal', () => {
  const expected: readonly (readonly [name: string, status: number, code: string, asItCame: boolean])[] = [
    ['openai/responses.sync.error-400.gpt-5-mini', 400, 'invalid_value', true],
    ['openai/responses.sync.error-400.gpt-5.2-proo', 400, 'model_not_found', true],
    ['openai/responses.sync.error-400.this-model', 400, 'model_not_found', true],
    ['openai/responses.sync.error-400_context', 400, 'context_length_exceeded', true],
    ['openai/responses.sync.error-401', 502, 'upstream_credentials_rejected', false],
    ['xai/responses.sync.error-400', 502, 'upstream_credentials_rejected', false],
  ];

  test('is in the table of what becomes of it', () => {
    expect(refusals.map(({ name }) => expected.filter(([begin]) => name.startsWith(begin)).length)).toEqual(refusals.map(() => 1));
  });

  test.each(named(refusals))('%s reaches the application by the client contract', async (name, recording) => {
    serveRecording(upstream, recording);
    const [, status, code, asItCame] = expected.find(([begin]) => name.startsWith(begin)) ?? [];
    const response = await post(requestOf(recording));
    const text = await response.text();
    expect([response.status, JSON.parse(text).error.code, text === recording.bytes.toString('utf8')]).toEqual([status, code, asItCame]);
    const event = await proxy.eventOf(response.headers.get('x-request-id'));
    expect(event).toMatchObject({ outcome: 'failed', status, errorCode: code, costPico: '0', attempts: [{ status: recording.status }] });
  });
});
