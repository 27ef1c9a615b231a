import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProviderProtocol } from '../../../../../../schema/values/provider-protocol.ts';
import type { ProviderRecording } from '../../../../../harness/provider-recordings.ts';
import { chatRecordings } from '../../../../../harness/provider-recordings.ts';
import type { TestProxy } from '../../../../../harness/proxy.ts';
import { startProxy, testModel } from '../../../../../harness/proxy.ts';
import type { ScriptedUpstream } from '../../../../../harness/scripted-upstream.ts';
import { startScriptedUpstream } from '../../../../../harness/scripted-upstream.ts';
import { serveRecording } from '../../../../../harness/serve-recording.ts';

const PROTOCOLS = [
  'azure-openai',
  'deepseek',
  'groq',
  'huggingface',
  'mistral',
  'ollama',
  'openai',
  'openrouter',
  'perplexity',
  'together',
  'xai',
] as const satisfies readonly ProviderProtocol[];
const messages = [{ role: 'user' as const, content: 'hello' }];

let upstream: ScriptedUpstream;
let proxy: TestProxy;
let client: Anthropic;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  proxy = await startProxy({
    providers: Object.fromEntries(PROTOCOLS.map((protocol) => [protocol, upstream.baseUrl])),
    protocols: Object.fromEntries(PROTOCOLS.map((protocol) => [protocol, protocol])),
    providerCredential: { env: 'PROVIDER_KEY' },
    credentials: { PROVIDER_KEY: 'sk-provider' },
    models: PROTOCOLS.map((protocol) => testModel(`${protocol}/model`)),
  });
  client = new Anthropic({ baseURL: proxy.url, apiKey: proxy.key, maxRetries: 0 });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const answers = chatRecordings.filter(({ status }) => status === 200);
const named = (some: readonly ProviderRecording[]) => some.map((recording) => [recording.name, recording] as const);
const isFailing = ({ bytes }: ProviderRecording): boolean => bytes.includes('"error":');
const ask = ({ name }: ProviderRecording) => ({
  model: `${PROTOCOLS.find((protocol) => name.startsWith(`${protocol}/`))}/model`,
  max_tokens: 100,
  messages,
});

interface Said {
  readonly role?: string;
  readonly content?: unknown;
  readonly tool_calls?: readonly { readonly function: { readonly name: string; readonly arguments: string } }[] | null;
}

/** Calls of a message that was put together, as name and input. */
const callsOf = (message: Anthropic.Message) =>
  message.content.flatMap((block) => (block.type === 'tool_use' ? [[block.name, block.input]] : []));

describe('what a provider of chat completions answered, for an application that speaks messages', () => {
  test.each(named(answers.filter(({ events }) => events === null)))('%s is one for the official client', async (_name, recording) => {
    serveRecording(upstream, recording);
    const answer = await client.messages.create(ask(recording));
    const [choice] = JSON.parse(recording.bytes.toString('utf8')).choices;
    const said: Said = choice.message;
    expect(answer).toMatchObject({ type: 'message', role: 'assistant', model: ask(recording).model });
    expect(callsOf(answer)).toEqual((said.tool_calls ?? []).map(({ function: { name, arguments: input } }) => [name, JSON.parse(input)]));
    if (typeof said.content === 'string') {
      expect(answer.content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('')).toBe(said.content);
    }
    const reasons: Readonly<Record<string, string>> = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use' };
    expect([reasons[choice.finish_reason], 'refusal']).toContain(answer.stop_reason);
    expect(answer.usage.output_tokens).toBeGreaterThan(0);
  });

  test.each(named(answers.filter((recording) => recording.events !== null && !isFailing(recording))))(
    '%s passes the accumulator of the official client',
    async (_name, recording) => {
      serveRecording(upstream, recording);
      const answer = await client.messages.stream(ask(recording)).finalMessage();
      expect(answer).toMatchObject({ type: 'message', role: 'assistant', stop_reason: expect.any(String) });
      expect(answer.stop_reason === 'tool_use').toBe(callsOf(answer).length > 0);
    },
  );

  test('an error inside of a stream is an error in the words of the dialect', async () => {
    for (const recording of answers.filter(isFailing)) {
      serveRecording(upstream, recording);
      await expect(client.messages.stream(ask(recording)).finalMessage()).rejects.toBeInstanceOf(Anthropic.APIError);
    }
  });
});

test('a request reaches the provider in its own words, and the application hears what does not', async () => {
  upstream.script = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        id: 'c',
        model: 'm',
        choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
      }),
    );
  };
  const response = await proxy.post('/v1/messages', {
    model: 'openai/model',
    max_tokens: 9,
    system: 'be brief',
    messages: [
      { role: 'user', content: 'go' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 's' },
          { type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: 1 } },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'done' }] },
    ],
    tools: [{ name: 'f', input_schema: { type: 'object' } }],
    stop_sequences: ['x'],
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('x-turnpike-warning')).toContain('thinking');
  expect(JSON.parse(upstream.requests.at(-1)?.body ?? '')).toEqual({
    model: 'model',
    messages: [
      { role: 'system', content: 'be brief' },
      { role: 'user', content: 'go' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'toolu_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
      },
      { role: 'tool', tool_call_id: 'toolu_1', content: 'done' },
    ],
    tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
    max_tokens: 9,
    stop: ['x'],
  });
});
