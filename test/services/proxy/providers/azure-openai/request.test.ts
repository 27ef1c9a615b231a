import { expect, test } from 'vitest';
import { startProxy, testModel } from '../../../../harness/proxy.ts';
import { startScriptedUpstream } from '../../../../harness/scripted-upstream.ts';

test.each([
  ['/openai/v1', undefined, '/openai/v1/chat/completions'],
  ['/openai', '2024-10-21', '/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21'],
  ['/models', '2024-05-01-preview', '/models/chat/completions?api-version=2024-05-01-preview'],
])('a deployment below %s with API version %s is called at %s', async (base, apiVersion, path) => {
  await using upstream = await startScriptedUpstream();
  await using proxy = await startProxy({
    providers: { azure: `${new URL(upstream.baseUrl).origin}${base}` },
    protocols: { azure: 'azure-openai' },
    providerOptions: apiVersion === undefined ? {} : { apiVersion },
    models: [testModel('azure/gpt', { upstreamModel: 'my gpt' })],
  });
  const response = await proxy.chat({ model: 'azure/gpt', messages: [{ role: 'user', content: 'hello' }] });
  expect(response.status).toBe(200);
  expect(upstream.requests.map((request) => [request.path, JSON.parse(request.body).model])).toEqual([[path, 'my gpt']]);
});
