import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestProxyOptions } from '../../harness/proxy.ts';
import { startProxy, testKey, testModel } from '../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../harness/scripted-upstream.ts';

const RESPONSE = { id: 'resp_2', object: 'response', status: 'completed', output: [], usage: { input_tokens: 1, output_tokens: 1 } };
const AGAIN = { model: 'openai/model', input: 'and?', previous_response_id: 'resp_1' };

let upstream: ScriptedUpstream;
let options: TestProxyOptions;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  upstream.script = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(RESPONSE));
  };
  options = {
    providers: { openai: upstream.baseUrl },
    providerOptions: { servesResponses: true },
    models: [testModel('openai/model')],
  };
});
afterAll(async () => {
  await upstream[Symbol.asyncDispose]();
});

test('an organization goes on with a response that its provider keeps', async () => {
  await using alone = await startProxy(options);
  expect((await alone.post('/v1/responses', AGAIN)).status).toBe(200);
  expect(JSON.parse(upstream.requests.at(-1)?.body ?? '')).toEqual({ ...AGAIN, model: 'model' });
});

test('a response that is kept in an account of several organizations is nobody’s to go on with', async () => {
  await using shared = await startProxy({ ...options, keys: [testKey().key] });
  const before = upstream.requests.length;
  const refused = await shared.post('/v1/responses', AGAIN);
  expect([refused.status, await refused.json()]).toMatchObject([
    400,
    { error: { type: 'invalid_request_error', param: 'previous_response_id', message: expect.stringContaining('several organizations') } },
  ]);
  expect(upstream.requests.length).toBe(before);
  expect((await shared.post('/v1/responses', { model: 'openai/model', input: 'hello' })).status).toBe(200);
});

test.each([
  ['GET', '/responses/resp_1'],
  ['DELETE', '/responses/resp_1'],
  ['POST', '/responses/resp_1/cancel'],
  ['GET', '/responses/resp_1/input_items'],
])('%s %s is no endpoint, and the answer says where a stored response is', async (method, path) => {
  await using proxy = await startProxy(options);
  const answer = await fetch(`${proxy.baseUrl}${path}`, { method, headers: { authorization: `Bearer ${proxy.key}` } });
  expect([answer.status, await answer.json()]).toMatchObject([
    404,
    { error: { code: 'endpoint_not_found', message: expect.stringContaining(`${method} /{provider}/v1${path}`) } },
  ]);
  const passed = await fetch(`${proxy.url}/openai/v1${path}`, { method, headers: { authorization: `Bearer ${proxy.key}` } });
  expect([passed.status, upstream.requests.at(-1)?.method, upstream.requests.at(-1)?.path]).toEqual([200, method, `/v1${path}`]);
});
