import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TokenUsage } from '../../../../../schema/values/token-usage.ts';
import { UNKNOWN_USAGE } from '../../../../../schema/values/token-usage.ts';
import type { ProviderRecording } from '../../../../harness/provider-recordings.ts';
import { recordingsFrom } from '../../../../harness/provider-recordings.ts';
import type { TestProxy } from '../../../../harness/proxy.ts';
import { startProxy, testModel } from '../../../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { serveRecording } from '../../../../harness/serve-recording.ts';
import { RECORDED_MESSAGE_USAGE } from './recorded-usage.ts';

const model = 'anthropic/claude-sonnet-4-5';
const messages = [{ role: 'user' as const, content: 'hello' }];

let upstream: ScriptedUpstream;
let proxy: TestProxy;
let anthropic: Anthropic;
let openai: OpenAI;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: { anthropic: new URL(upstream.baseUrl).origin },
    protocols: { anthropic: 'anthropic' },
    providerCredential: { env: 'PROVIDER_KEY' },
    credentials: { PROVIDER_KEY: 'sk-provider' },
    models: [testModel(model)],
  });
  anthropic = new Anthropic({ baseURL: proxy.url, apiKey: proxy.key, maxRetries: 0 });
  openai = new OpenAI({ baseURL: proxy.baseUrl, apiKey: proxy.key, maxRetries: 0 });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const recordings = recordingsFrom('anthropic');
const answers = recordings.filter(({ name, status }) => status === 200 && !name.includes('count-tokens'));
const isFailing = ({ name }: ProviderRecording): boolean => name.includes('error-event');
const named = (some: readonly ProviderRecording[]) => some.map((recording) => [shortName(recording), recording] as const);

/** What kind of exchange it was, without its model. */
function shortName({ name }: ProviderRecording): string {
  const known = Object.keys(RECORDED_MESSAGE_USAGE).filter((short) => name.startsWith(`anthropic/messages.${short}`));
  return known.sort((left, right) => right.length - left.length)[0] ?? name;
}

/** At the prices of `testModel`, whose writes to a cache cost what its input does; null where something was used that has no price. */
function costOf(usage: Partial<TokenUsage>, searches: number | null): string | null {
  const { input = 0, cacheWrite5m = 0, cacheRead = 0, output = 0, reasoning = 0 } = usage;
  const picoUsd =
    ((input ?? 0) + (cacheWrite5m ?? 0)) * 1_500_000 + (cacheRead ?? 0) * 150_000 + ((output ?? 0) + (reasoning ?? 0)) * 2_000_000;
  return (searches ?? 0) > 0 ? null : String(picoUsd);
}

test('every recorded answer is in the table of what it used', () => {
  expect(answers.map(shortName).sort()).toEqual(Object.keys(RECORDED_MESSAGE_USAGE).sort());
});

describe('a recorded answer, cut anywhere', () => {
  test.each(named(answers))(
    '%s passes to the byte to who speaks the dialect, and is in the books by its own numbers',
    async (name, recording) => {
      serveRecording(upstream, recording);
      const stream = recording.events !== null;
      const response = await proxy.post('/v1/messages', { model, max_tokens: 100, messages, stream });
      expect(await response.text()).toBe(recording.bytes.toString('utf8'));
      expect(response.status).toBe(200);

      const { usage, searches } = RECORDED_MESSAGE_USAGE[name] ?? { usage: {}, searches: null };
      const event = await proxy.eventOf(response.headers.get('request-id'));
      expect(event).toMatchObject({
        endpoint: '/v1/messages',
        outcome: isFailing(recording) ? 'failed' : 'succeeded',
        usage: { ...UNKNOWN_USAGE, ...usage },
        units: searches === null ? null : { searches, images: null, audioSeconds: null },
        costPico: costOf(usage, searches),
        unrated: (searches ?? 0) > 0 ? 'price_missing' : null,
      });
      expect(event.rawUsage).not.toBeNull();
    },
  );

  test.each(named(answers))('%s is one for the official client of the dialect', async (_name, recording) => {
    serveRecording(upstream, recording);
    if (recording.events === null) {
      const answer = await anthropic.messages.create({ model, max_tokens: 100, messages });
      expect(answer).toMatchObject(JSON.parse(recording.bytes.toString('utf8')));
      return;
    }
    const answer = anthropic.messages.stream({ model, max_tokens: 100, messages }).finalMessage();
    if (isFailing(recording)) await expect(answer).rejects.toThrow(/overloaded_error/);
    else expect((await answer).stop_reason).toBeTruthy();
  });

  test.each(named(answers))(
    '%s is a chat completion for the official client of OpenAI, and in the books the same',
    async (name, recording) => {
      serveRecording(upstream, recording);
      const request = { model, messages };
      const asked = recording.events === null ? request : { ...request, stream: true, stream_options: { include_usage: true } };
      const response = await proxy.chat(asked);
      await response.arrayBuffer();
      const { usage, searches } = RECORDED_MESSAGE_USAGE[name] ?? { usage: {}, searches: null };
      expect(await proxy.eventOf(response.headers.get('x-request-id'))).toMatchObject({
        outcome: isFailing(recording) ? 'failed' : 'succeeded',
        usage: { ...UNKNOWN_USAGE, ...usage },
        costPico: costOf(usage, searches),
      });

      serveRecording(upstream, recording);
      const answer =
        recording.events === null
          ? openai.chat.completions.create(request)
          : openai.chat.completions.stream({ ...request, stream_options: { include_usage: true } }).finalChatCompletion();
      if (isFailing(recording)) {
        await expect(answer).rejects.toThrow('Overloaded');
        return;
      }
      const { choices, usage: told } = await answer;
      expect(choices).toHaveLength(1);
      expect(choices[0]?.finish_reason).toBe(FINISH_REASONS[name] ?? 'stop');
      const { input = 0, cacheRead = 0, cacheWrite5m = 0, output = 0, reasoning = 0 } = usage;
      expect([told?.prompt_tokens, told?.completion_tokens]).toEqual([
        (input ?? 0) + (cacheRead ?? 0) + (cacheWrite5m ?? 0),
        (output ?? 0) + (reasoning ?? 0),
      ]);
    },
  );
});

/** Where it is not `stop`. */
const FINISH_REASONS: Readonly<Record<string, string>> = {
  'stream.cache-write_stop-length': 'length',
  'stream.parallel-tools': 'tool_calls',
  'sync.parallel-tools_structured': 'tool_calls',
};

test('a refusal is told in its own words', async () => {
  const [refusal] = answers.filter(({ name }) => name.includes('refusal'));
  if (refusal === undefined) throw new Error('no recorded refusal');
  serveRecording(upstream, refusal);
  const { choices } = await openai.chat.completions.stream({ model, messages }).finalChatCompletion();
  expect(choices[0]?.message.refusal).toContain('violative cyber content');
});

test('a count of tokens passes, costs nothing and is logged', async () => {
  const [count] = recordings.filter(({ name }) => name.includes('count-tokens'));
  if (count === undefined) throw new Error('no recorded count');
  serveRecording(upstream, count);
  const { data, response } = await anthropic.messages.countTokens({ model, messages }).withResponse();
  expect(data.input_tokens).toBe(641);
  expect(upstream.requests.at(-1)).toMatchObject({ path: '/v1/messages/count_tokens' });
  expect(JSON.parse(upstream.requests.at(-1)?.body ?? '')).toEqual({ model: 'claude-sonnet-4-5', messages });
  expect(await proxy.eventOf(response.headers.get('request-id'))).toMatchObject({
    endpoint: '/v1/messages/count_tokens',
    outcome: 'succeeded',
    usage: null,
    usageFlags: [],
    costPico: '0',
    unrated: null,
  });
});

describe('a recorded refusal', () => {
  const refusals: readonly (readonly [name: string, message: number, chat: number, code: string, isBytes: boolean])[] = [
    ['sync.error-400.', 400, 400, 'invalid_request_error', true],
    ['sync.error-400_context-length', 400, 400, 'context_length_exceeded', true],
    ['sync.error-401', 502, 502, 'upstream_credentials_rejected', false],
    ['sync.error-404', 404, 404, 'model_not_found', true],
    ['sync.error-529-overloaded', 529, 502, 'overloaded_error', true],
  ];
  const recorded = recordings.filter(({ status }) => status >= 400);

  test('is in the table of what becomes of it', () => {
    expect(recorded).toHaveLength(refusals.length);
  });

  test.each(refusals)('%s reaches applications of both dialects by the client contract', async (name, message, chat, code, isBytes) => {
    const recording = recorded.find((candidate) => candidate.name.startsWith(`anthropic/messages.${name}`));
    if (recording === undefined) throw new Error(`no recording ${name}`);
    serveRecording(upstream, recording);
    const native = await proxy.post('/v1/messages', { model, max_tokens: 100, messages });
    const text = await native.text();
    expect([native.status, text === recording.bytes.toString('utf8')]).toEqual([message, isBytes]);
    expect(JSON.parse(text)).toMatchObject({ type: 'error' });
    expect(await proxy.eventOf(native.headers.get('request-id'))).toMatchObject({
      outcome: 'failed',
      status: message,
      errorCode: code,
      costPico: '0',
    });

    const translated = await proxy.chat({ model, messages });
    expect([translated.status, JSON.parse(await translated.text()).error.code]).toEqual([chat, code]);
  });

  test('is an error of its class in the official clients', async () => {
    const refused = (name: string): void => {
      const recording = recorded.find((candidate) => candidate.name.includes(name));
      if (recording !== undefined) serveRecording(upstream, recording);
    };
    refused('error-404');
    await expect(anthropic.messages.create({ model, max_tokens: 1, messages })).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await expect(openai.chat.completions.create({ model, messages })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    refused('error-400_context');
    await expect(anthropic.messages.create({ model, max_tokens: 1, messages })).rejects.toBeInstanceOf(Anthropic.BadRequestError);
    refused('error-529');
    await expect(anthropic.messages.create({ model, max_tokens: 1, messages })).rejects.toBeInstanceOf(Anthropic.InternalServerError);
  });
});
