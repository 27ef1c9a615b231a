import OpenAI from 'openai';
import { expect, test } from 'vitest';
import type { OutputCap } from '../../../../schema/values/output-cap.ts';
import type { SnapshotRoute } from '../../../../services/registry/snapshot.ts';
import { testModel } from '../../../harness/proxy.ts';
import { answerStream, plainStream } from '../../../harness/scripted-upstream.ts';
import { budgetedProxies, lifetime } from './budgeted-proxies.ts';

const messages = [{ role: 'user' as const, content: 'hello' }];
const ALLOWANCE = 512;

test("a route's cap bounds the hold of a request without a limit, and where it is injected the provider is held to it and the client told", async () => {
  await using world = await budgetedProxies();
  await world.define({ name: 'Tokens', limits: [lifetime('tokens', 1_000_000n)] });
  const wide = testModel('acme/wide');
  const narrow = testModel('acme/narrow', { maxOutputTokens: 16 });
  const routeTo = (name: string, modelId: string, outputCap: OutputCap): SnapshotRoute => ({
    id: `rte_${name}`,
    organizationId: world.organizationId,
    name,
    strategy: 'single',
    createdAt: 0,
    outputCap,
    targets: [{ modelId, weight: 1, credentialId: null }],
  });
  const proxy = await world.start({
    models: [wide, narrow],
    providerOptions: { outputLimitField: 'max_completion_tokens' },
    routes: [
      routeTo('written', wide.id, { tokens: 40, injected: true }),
      routeTo('assumed', wide.id, { tokens: 40, injected: false }),
      routeTo('beyond', narrow.id, { tokens: 40, injected: true }),
    ],
  });
  const client = new OpenAI({ baseURL: proxy.baseUrl, apiKey: world.secret, maxRetries: 0 });
  const seen = async (response: Response) => {
    const event = await proxy.eventOf(response.headers.get('x-request-id'));
    const { body } = world.upstream.requests.at(-1) ?? { body: '' };
    const {
      messages: _messages,
      model: _model,
      stream: _stream,
      stream_options: _options,
      ...rest
    } = JSON.parse(body) as Record<string, unknown>;
    return { warning: response.headers.get('x-turnpike-warning'), sent: rest, hold: Number(event.holds[0]?.hold) };
  };
  const ask = async (model: string, fields: Record<string, unknown> = {}) => {
    const body = { model, messages, ...fields };
    const { data, response } = await client.chat.completions.create(body).withResponse();
    expect(data.choices[0]?.message.content).toBe('Hello');
    return { ...(await seen(response)), bytes: Buffer.byteLength(JSON.stringify(body)) };
  };

  const written = await ask('route/written');
  expect(written.warning).toBe('max_tokens_injected; max_tokens=40');
  expect(written.sent).toEqual({ max_completion_tokens: 40 });
  expect(written.hold).toBe(written.bytes + ALLOWANCE + 40);

  // What the application says itself counts, and is passed as it is.
  const own = await ask('route/written', { max_tokens: 99 });
  expect(own).toMatchObject({ warning: null, sent: { max_tokens: 99 }, hold: own.bytes + ALLOWANCE + 99 });

  const assumed = await ask('route/assumed');
  expect(assumed).toMatchObject({ warning: null, sent: {}, hold: assumed.bytes + ALLOWANCE + 40 });

  // A limit above the model's own is refused by providers.
  const beyond = await ask('route/beyond', { max_tokens: null });
  expect(beyond).toMatchObject({ sent: { max_tokens: null, max_completion_tokens: 16 }, hold: beyond.bytes + ALLOWANCE + 16 });
  expect(beyond.warning).toBe('max_tokens_injected; max_tokens=16');

  world.upstream.script = (response) => answerStream(response, plainStream());
  const { data: stream, response } = await client.chat.completions
    .create({ model: 'route/written', messages, stream: true })
    .withResponse();
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
  expect([text, await seen(response)]).toMatchObject([
    'Hello',
    { warning: 'max_tokens_injected; max_tokens=40', sent: { max_completion_tokens: 40 } },
  ]);
});
