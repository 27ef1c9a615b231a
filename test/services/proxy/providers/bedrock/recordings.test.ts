import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TokenUsage } from '../../../../../schema/values/token-usage.ts';
import { UNKNOWN_USAGE } from '../../../../../schema/values/token-usage.ts';
import { providerRecording } from '../../../../harness/provider-recordings.ts';
import type { TestProxy } from '../../../../harness/proxy.ts';
import { startProxy, testModel } from '../../../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../../../harness/scripted-upstream.ts';
import { serveRecording } from '../../../../harness/serve-recording.ts';
import { isSignedWith } from '../../../../harness/verify-aws-signature.ts';

const secretAccessKey = 'a secret of the gateway';
const keys = { accessKeyId: 'AKIDTEST', secretAccessKey, sessionToken: 'session', region: 'us-east-1' };
const arn = 'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-7-sonnet-20250219-v1:0';

let upstream: ScriptedUpstream;
let proxy: TestProxy;
let client: OpenAI;
/** Of the last answer. */
let requestId: string | null = null;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: { bedrock: new URL(upstream.baseUrl).origin },
    protocols: { bedrock: 'bedrock' },
    providerCredential: { env: 'BEDROCK' },
    credentials: { BEDROCK: JSON.stringify(keys) },
    models: [testModel('bedrock/us.amazon.nova-2-lite-v1:0'), testModel('bedrock/claude', { upstreamModel: arn })],
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

const asked = { model: 'bedrock/us.amazon.nova-2-lite-v1:0', messages: [{ role: 'user' as const, content: 'hello' }] };

type Row = readonly [name: string, reason: string, calls: readonly string[], usage: Partial<TokenUsage>, cost: string | null];

/** By hand, from each recording's own numbers and the prices of `testModel`: 1.50 USD a million tokens of input, 0.15 read again, 2 of output. */
const ANSWERS: readonly Row[] = [
  ['converse-stream.stream.cache-read', 'stop', [], { input: 12, cacheRead: 1028, cacheWrite5m: 0, output: 250 }, '672200000'],
  ['converse-stream.stream.cache-write', 'stop', [], { input: 11, cacheRead: 0, cacheWrite5m: 1028, output: 236 }, '2030500000'],
  ['converse-stream.stream.filtered', 'content_filter', [], { input: 54, output: 18 }, '117000000'],
  ['converse-stream.stream.parallel-tools', 'tool_calls', ['final_result'], { input: 1002, output: 59 }, '1621000000'],
  ['converse-stream.stream.reasoning', 'stop', [], { input: 92, output: 253 }, '644000000'],
  ['converse-stream.stream.stop-length', 'length', [], { input: 8, output: 10 }, '32000000'],
  ['converse-stream.stream.text', 'stop', [], { input: 53, output: 21 }, '121500000'],
  ['converse-stream.stream.tool-result', 'stop', [], { input: 577, output: 18 }, '901500000'],
  ['converse.sync.cache-write', 'stop', [], { input: 3, cacheRead: 1712, cacheWrite5m: 236, cacheWrite1h: 0, output: 121 }, '857300000'],
  ['converse.sync.document-in', 'stop', [], { input: 672, cacheRead: 0, cacheWrite5m: 0, output: 39 }, '1086000000'],
  ['converse.sync.parallel-tools', 'tool_calls', ['dice_roll', 'dice_roll', 'dice_roll'], { input: 946, output: 37 }, '1493000000'],
  ['converse.sync.reasoning', 'stop', [], { input: 40, output: 302 }, '664000000'],
  ['converse.sync.service-tier', 'length', [], { input: 13, output: 5 }, null],
  ['converse.sync.text', 'stop', [], { input: 19, output: 2 }, '32500000'],
];

test.each(ANSWERS)(
  '%s, cut anywhere, is an answer for the official client, signed for and booked',
  async (name, reason, calls, usage, cost) => {
    const recording = providerRecording(`bedrock/${name}`);
    serveRecording(upstream, recording);
    const completion = name.includes('.sync.')
      ? await client.chat.completions.create(asked)
      : await client.chat.completions.stream({ ...asked, stream_options: { include_usage: true } }).finalChatCompletion();
    const [choice] = completion.choices;
    expect(choice?.finish_reason).toBe(reason);
    const made = (choice?.message.tool_calls ?? []).filter((call) => call.type === 'function').map((call) => call.function);
    expect(made.map((call) => call.name)).toEqual(calls);
    for (const call of made) expect(JSON.parse(call.arguments)).toBeTypeOf('object');
    if (calls.length === 0) expect(choice?.message.content).toBeTruthy();

    const sent = upstream.requests.at(-1);
    if (sent === undefined) throw new Error('nothing was asked');
    expect([isSignedWith(secretAccessKey, sent), isSignedWith('another', sent)]).toEqual([true, false]);
    expect(JSON.stringify(sent)).not.toContain(secretAccessKey);
    expect(sent.path).toBe(`/model/us.amazon.nova-2-lite-v1%3A0/${name.includes('.sync.') ? 'converse' : 'converse-stream'}`);

    const event = await proxy.eventOf(requestId);
    expect([event.outcome, event.costPico]).toEqual(['succeeded', cost]);
    expect(event.usage).toMatchObject(Object.keys(usage).length === 0 ? {} : { ...UNKNOWN_USAGE, ...usage });
    expect(event.rawUsage).toContain('"inputTokens"');
  },
);

test('a profile by its ARN is one segment of the path, and signed as such', async () => {
  serveRecording(upstream, providerRecording('bedrock/converse.sync.text'));
  await client.chat.completions.create({ ...asked, model: 'bedrock/claude' });
  const sent = upstream.requests.at(-1);
  expect(sent?.path).toBe(`/model/${encodeURIComponent(arn)}/converse`);
  expect(sent !== undefined && isSignedWith(secretAccessKey, sent)).toBe(true);
});

test('an exception in the stream reaches the application as an error, and the books', async () => {
  serveRecording(upstream, providerRecording('bedrock/converse-stream.stream.exception'));
  await expect(client.chat.completions.stream(asked).finalChatCompletion()).rejects.toThrow('Too many requests');
  expect(await proxy.eventOf(requestId)).toMatchObject({ outcome: 'failed', errorCode: 'ThrottlingException' });
});

test.each([
  ['converse.sync.error-400.', 400, null],
  ['converse.sync.error-400_context', 400, 'context_length_exceeded'],
  ['invoke.sync.error-403', 502, 'upstream_credentials_rejected'],
])('%s reaches the application by the client contract', async (name, status, code) => {
  serveRecording(upstream, providerRecording(`bedrock/${name}`));
  await expect(client.chat.completions.create(asked)).rejects.toMatchObject({ status, ...(code === null ? {} : { code }) });
});
