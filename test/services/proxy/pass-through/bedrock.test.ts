import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TokenUsage } from '../../../../schema/values/token-usage.ts';
import { UNKNOWN_USAGE } from '../../../../schema/values/token-usage.ts';
import { frameOf, payloadsOf } from '../../../harness/aws-frames.ts';
import { eventually } from '../../../harness/eventually.ts';
import { providerRecording } from '../../../harness/provider-recordings.ts';
import type { TestProxy } from '../../../harness/proxy.ts';
import { startProxy, testKey, testModel } from '../../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../../harness/scripted-upstream.ts';
import { answerJson, startScriptedUpstream } from '../../../harness/scripted-upstream.ts';
import { serveRecording } from '../../../harness/serve-recording.ts';
import { isSignedWith } from '../../../harness/verify-aws-signature.ts';

const secretAccessKey = 'a secret of the gateway';
const nova = 'us.amazon.nova-2-lite-v1:0';
const arn = 'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-7-sonnet-20250219-v1:0';

let upstream: ScriptedUpstream;
let proxy: TestProxy;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: { bedrock: new URL(upstream.baseUrl).origin },
    protocols: { bedrock: 'bedrock' },
    providerCredential: { env: 'BEDROCK' },
    credentials: { BEDROCK: JSON.stringify({ accessKeyId: 'AKID', secretAccessKey, sessionToken: 'session', region: 'us-east-1' }) },
    models: [
      testModel('bedrock/small', { upstreamModel: nova }),
      testModel('bedrock/claude', { upstreamModel: arn }),
      ...['one', 'two', 'twice'].map((name) => testModel(`bedrock/${name}`, { upstreamModel: 'twice' })),
      ...['three', 'four'].map((name) => testModel(`bedrock/${name}`, { upstreamModel: 'thrice' })),
    ],
    limits: { keepAliveMs: 30 },
  });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

/** As AWS's SDKs ask: with the key in the place of an API key of Bedrock's. */
const ask = (model: string, operation: string, headers: Record<string, string> = {}): Promise<Response> =>
  proxy.post(`/bedrock/model/${encodeURIComponent(model)}/${operation}`, { messages: [] }, { headers });
const sent = () => {
  const last = upstream.requests.at(-1);
  if (last === undefined) throw new Error('nothing was asked');
  return last;
};
const eventOf = (response: Response) => proxy.eventOf(response.headers.get('x-request-id'));
const answerFrames = (...frames: readonly Buffer[]): void => {
  upstream.script = (response) => {
    response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
    response.end(Buffer.concat(frames));
  };
};
const text = frameOf({ ':event-type': 'contentBlockDelta', ':message-type': 'event' }, '{"delta":{"text":"hi"}}');
const throttled = frameOf({ ':exception-type': 'throttlingException', ':message-type': 'exception' }, '{"message":"Too many requests"}');

type Row = readonly [recording: string, model: string, operation: string, usage: Partial<TokenUsage> | null, cost: string | null];

/** By hand, from each recording's own numbers and the prices of `testModel`. */
const ANSWERS: readonly Row[] = [
  [
    'converse.sync.cache-write',
    arn,
    'converse',
    { input: 3, cacheRead: 1712, cacheWrite5m: 236, cacheWrite1h: 0, output: 121 },
    '857300000',
  ],
  ['converse.sync.text', nova, 'converse', { input: 19, output: 2 }, '32500000'],
  // Flex, which the model has no price for.
  ['converse.sync.service-tier', nova, 'converse', { input: 13, output: 5 }, null],
  ['converse-stream.stream.text', nova, 'converse-stream', { input: 53, output: 21 }, '121500000'],
  ['converse-stream.stream.cache-read', nova, 'converse-stream', { input: 12, cacheRead: 1028, cacheWrite5m: 0, output: 250 }, '672200000'],
  ['invoke.sync.cache-write', arn, 'invoke', { input: 3, cacheRead: 9511, cacheWrite5m: 1956, cacheWrite1h: 0, output: 44 }, '4453150000'],
  ['invoke-with-response-stream', arn, 'invoke-with-response-stream', { input: 702, output: 130 }, '1313000000'],
  ['count-tokens', arn, 'count-tokens', null, '0'],
];

test.each(ANSWERS)(
  '%s, cut anywhere, passes to the byte, signed for and booked by its own numbers',
  async (name, model, operation, usage, cost) => {
    const recording = providerRecording(`bedrock/${name}`);
    serveRecording(upstream, recording);
    const response = await ask(model, operation);
    expect(Buffer.from(await response.arrayBuffer()).equals(recording.bytes)).toBe(true);
    expect(response.headers.get('content-type')).toBe(recording.headers['content-type']);
    const { path, headers } = sent();
    expect([path, isSignedWith(secretAccessKey, sent())]).toEqual([`/model/${encodeURIComponent(model)}/${operation}`, true]);
    expect(JSON.stringify(headers)).not.toContain(proxy.key);
    const event = await eventOf(response);
    expect([event.model, event.modelRequested, event.stream]).toEqual([
      model === arn ? 'bedrock/claude' : 'bedrock/small',
      model,
      operation.endsWith('-stream'),
    ]);
    expect([event.outcome, event.costPico]).toEqual(['succeeded', cost]);
    expect(event.usage).toEqual(usage === null ? null : { ...UNKNOWN_USAGE, ...usage });
  },
);

test('of several models that Bedrock calls the same, the one of that name is meant; else none, since nobody knows at which price', async () => {
  for (const [model, name] of [
    ['twice', 'bedrock/twice'],
    ['thrice', 'bedrock/*'],
  ] as const) {
    serveRecording(upstream, providerRecording('bedrock/converse.sync.text'));
    expect((await eventOf(await ask(model, 'converse'))).model).toBe(name);
  }
});

describe('usage that a body does not tell', () => {
  const counts = { 'x-amzn-bedrock-input-token-count': '9', 'x-amzn-bedrock-output-token-count': '4' };

  test('is read from the headers of the answer, which reach the application', async () => {
    upstream.script = (response) => answerJson(response, { generation: 'hi' }, 200, { ...counts, 'x-secret': 'x' });
    const response = await ask(nova, 'invoke');
    expect([response.headers.get('x-amzn-bedrock-input-token-count'), response.headers.get('x-secret')]).toEqual(['9', null]);
    expect(await eventOf(response)).toMatchObject({
      usage: { input: 9, output: 4 },
      rawUsage: '{"inputTokenCount":9,"outputTokenCount":4}',
      costPico: '21500000',
    });
  });

  test('is read behind the last event of a stream', async () => {
    const data = '{"outputText":"hi","amazon-bedrock-invocationMetrics":{"inputTokenCount":9,"outputTokenCount":4}}';
    answerFrames(
      frameOf({ ':event-type': 'chunk', ':message-type': 'event' }, JSON.stringify({ bytes: Buffer.from(data).toString('base64') })),
    );
    const response = await ask(nova, 'invoke-with-response-stream');
    await response.arrayBuffer();
    expect(await eventOf(response)).toMatchObject({ usage: { input: 9, output: 4 }, costPico: '21500000' });
  });

  test('leaves an entry unrated where nobody tells it, and where it was served at other prices', async () => {
    upstream.script = (response) => answerJson(response, { images: [] });
    expect(await eventOf(await ask(nova, 'invoke'))).toMatchObject({ usage: null, costPico: null, unrated: 'usage_missing' });
    for (const headers of [{ 'x-amzn-bedrock-service-tier': 'flex' }, { 'x-amzn-bedrock-performanceconfig-latency': 'optimized' }]) {
      upstream.script = (response) => answerJson(response, {}, 200, { ...counts, ...headers });
      expect(await eventOf(await ask(nova, 'invoke'))).toMatchObject({ usage: { input: 9 }, costPico: null, unrated: 'tier_unknown' });
    }
    upstream.script = (response) => answerJson(response, {}, 200, counts);
    expect(await eventOf(await ask('amazon.titan', 'invoke'))).toMatchObject({ usage: { input: 9 }, costPico: null, unrated: 'no_price' });
  });
});

test('guardrails and tiers that an application asks for by headers reach Bedrock, signed; its own signature does not', async () => {
  upstream.script = (response) => answerJson(response, {});
  const theirs = { 'x-amz-date': '20260101T000000Z', 'x-amz-security-token': 'theirs', 'x-amzn-bedrock-guardrailidentifier': 'gr-1' };
  const authorization = 'AWS4-HMAC-SHA256 Credential=AKIDTHEIRS/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=00';
  expect((await ask(nova, 'invoke', { ...theirs, authorization, 'x-api-key': proxy.key })).status).toBe(200);
  const { headers } = sent();
  expect(headers['x-amzn-bedrock-guardrailidentifier']).toBe('gr-1');
  expect([headers['x-amz-security-token'], headers.authorization]).toEqual([
    'session',
    expect.stringMatching(/Credential=AKID\/.*x-amzn-bedrock-guardrailidentifier/),
  ]);
  expect(isSignedWith(secretAccessKey, sent())).toBe(true);
});

describe('a stream of frames', () => {
  test('has nothing of ours in it while it waits, where one of events is kept alive', async () => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    upstream.script = async (response, { path }) => {
      const isFramed = path.endsWith('/converse-stream');
      response.writeHead(200, { 'content-type': isFramed ? 'application/vnd.amazon.eventstream' : 'text/event-stream' });
      response.write(isFramed ? text : 'data: {}\n\n');
      await released;
      response.end(isFramed ? text : '');
    };
    const framed = await ask(nova, 'converse-stream');
    const events = await proxy.post('/bedrock/openai/v1/chat/completions', { model: nova, stream: true });
    let seen = '';
    for await (const piece of events.body ?? []) {
      seen += Buffer.from(piece).toString('utf8');
      if (seen.includes(': keep-alive')) release();
    }
    expect(Buffer.from(await framed.arrayBuffer()).equals(Buffer.concat([text, text]))).toBe(true);
  });

  test('passes an exception as it came, and is booked as failed', async () => {
    answerFrames(text, throttled);
    const response = await ask(nova, 'converse-stream');
    expect(Buffer.from(await response.arrayBuffer()).equals(Buffer.concat([text, throttled]))).toBe(true);
    expect(await eventOf(response)).toMatchObject({ outcome: 'failed', errorCode: 'ThrottlingException' });
  });

  test('that breaks ends in an exception of ours, whole', async () => {
    answerFrames(text, text.subarray(0, 20));
    const response = await ask(nova, 'converse-stream');
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(payloadsOf(bytes).map((payload) => JSON.parse(payload.toString('utf8')))).toEqual([
      { delta: { text: 'hi' } },
      { message: expect.any(String) },
    ]);
    expect(bytes.toString('latin1')).toContain('serviceUnavailableException');
    expect(await eventOf(response)).toMatchObject({ outcome: 'failed', errorCode: 'upstream_broken_stream' });
  });
});

describe('errors are in the words of AWS', () => {
  test('those of Bedrock to the byte, with their name', async () => {
    const recording = providerRecording('bedrock/converse.sync.error-400_context');
    serveRecording(upstream, recording);
    const response = await ask(nova, 'converse');
    expect([response.status, await response.text()]).toEqual([400, recording.bytes.toString('utf8')]);
    expect(response.headers.get('x-amzn-errortype')).toBe(recording.headers['x-amzn-errortype']);
  });

  test('not those about the credential of the gateway', async () => {
    serveRecording(upstream, providerRecording('bedrock/invoke.sync.error-403'));
    const response = await ask(nova, 'invoke');
    expect([response.status, response.headers.get('x-amzn-errortype')]).toEqual([502, null]);
    expect(await response.json()).toMatchObject({ code: 'ServiceUnavailableException', error: { code: 'upstream_credentials_rejected' } });
  });

  test('those of the gateway, too', async () => {
    const response = await ask(nova, 'converse', { authorization: 'Bearer tpk_ak_wrong' });
    expect([response.status, response.headers.get('x-amzn-requestid')]).toEqual([401, response.headers.get('x-request-id')]);
    expect(await response.json()).toMatchObject({ code: 'AccessDeniedException', message: expect.any(String) });
  });
});

test('a key that is held to models passes where the address names one of them, and nowhere else', async () => {
  const organizationId = testKey().key.organizationId;
  const held = testKey({ organizationId, allowedModels: ['bedrock/small'] });
  const [own] = proxy.snapshot.keys;
  if (own === undefined) throw new Error('no key');
  proxy.snapshot = { ...proxy.snapshot, revision: '2', keys: [{ ...own, organizationId }, held.key] };
  const headers = { authorization: `Bearer ${held.secret}` };
  upstream.script = (response) => answerJson(response, {});
  await eventually(async () => (await ask(nova, 'converse', headers)).status === 200);
  for (const path of [`model/${encodeURIComponent(arn)}/converse`, 'model/unlisted/converse', 'async-invoke']) {
    const response = await proxy.post(`/bedrock/${path}`, { model: nova, modelId: nova }, { headers });
    expect([response.status, (await response.json()).error.code]).toEqual([403, 'model_not_allowed']);
  }
});

test.each(['arn%3Aaws%2F..%2F..%2Fsecret', 'arn:a%2F%2Fb', 'arn:a%5c', 'a%2Fb'])(
  '%s as a model is refused: it might lead out',
  async (model) => {
    const before = upstream.requests.length;
    const response = await proxy.post(`/bedrock/model/${model}/converse`, {});
    expect([response.status, upstream.requests.length]).toEqual([400, before]);
  },
);
