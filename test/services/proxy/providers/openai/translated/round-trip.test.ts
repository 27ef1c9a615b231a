import fc from 'fast-check';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import type { ChatCompletionRequest } from '../../../../../../schema/http/chat-completions.ts';
import type { AnswerEvent } from '../../../../../../services/proxy/conversation/answer-event.ts';
import { chatCompletionsDialect } from '../../../../../../services/proxy/dialects/chat-completions/chat-completions-dialect.ts';
import { readRequest } from '../../../../../../services/proxy/dialects/chat-completions/read-request.ts';
import { PLAIN_READING } from '../../../../../../services/proxy/providers/openai/reading.ts';
import { chatProviderDialect } from '../../../../../../services/proxy/providers/openai/translated/chat-provider-dialect.ts';
import type { AnswerFacts, ProviderRefusal } from '../../../../../../services/proxy/providers/provider.ts';
import { chatAnswersOf } from '../../../../../harness/chat-answers.ts';
import { chatRecordings } from '../../../../../harness/provider-recordings.ts';
import { seededRandom } from '../../../../../harness/seeded-random.ts';
import { testTarget } from '../../../../../harness/test-target.ts';
import { answerEvents } from '../../../conversation/answer-arbitraries.ts';

const dialect = chatProviderDialect(() => '/chat/completions', {}, PLAIN_READING);
const request = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
const stamp = { requestId: 'req_1', model: 'm', createdSeconds: 1, usageAsked: true };

interface Heard {
  readonly events: AnswerEvent[];
  readonly facts: AnswerFacts;
  readonly end: 'completed' | 'failed' | 'broken' | 'open';
}

/** What a stream says, cut where chance has it. */
function hear(bytes: Buffer, seed: number): Heard {
  const { below } = seededRandom(seed);
  const events: AnswerEvent[] = [];
  let end: Heard['end'] = 'open';
  const reader = dialect.createStreamReader({
    event: (event) => {
      expect(end).toBe('open');
      events.push(event);
    },
    notCarried: () => {},
    completed: () => {
      end = 'completed';
    },
    failed: (_refusal: ProviderRefusal) => {
      end = 'failed';
    },
    broken: () => {
      end = 'broken';
    },
  });
  for (let at = 0; at < bytes.length; ) {
    const next = Math.min(bytes.length, at + 1 + below(200));
    reader.push(bytes.subarray(at, next));
    at = next;
  }
  reader.end();
  return { events, facts: reader.facts(), end };
}

/** What was said of each choice, whatever its pieces were. */
function said(events: readonly AnswerEvent[]) {
  const choices: Record<
    number,
    { text: string; thinking: string; proofs: string[]; calls: Record<number, { id: string; name: string; json: string }>; end: unknown }
  > = {};
  for (const event of events) {
    if (!('choice' in event)) continue;
    choices[event.choice] ??= { text: '', thinking: '', proofs: [], calls: {}, end: null };
    const choice = choices[event.choice];
    if (choice === undefined) continue;
    if (event.kind === 'text') choice.text += event.text;
    if (event.kind === 'thinking') choice.thinking += event.text;
    if (event.kind === 'thinking_signature') choice.proofs.push(event.signature);
    if (event.kind === 'redacted_thinking') choice.proofs.push(event.data);
    if (event.kind === 'tool_call') choice.calls[event.call] = { id: event.callId, name: event.name, json: '' };
    if (event.kind === 'tool_input') {
      const call = choice.calls[event.call];
      if (call !== undefined) call.json += event.json;
    }
    if (event.kind === 'finished') choice.end = event.reason;
  }
  // No input at all is that of a call without arguments.
  for (const { calls } of Object.values(choices)) for (const call of Object.values(calls)) call.json ||= '{}';
  return choices;
}

test('an answer that is written as a stream is read as the same, cut anywhere', () => {
  fc.assert(
    fc.property(answerEvents, fc.nat(), (events, seed) => {
      const writer = chatCompletionsDialect.createStreamWriter(stamp, request, () => {});
      const text = events.map((event) => writer.write(event)).join('') + writer.end();
      const heard = hear(Buffer.from(text), seed);
      expect(heard.end).toBe('completed');
      expect(said(heard.events)).toEqual(said(events));
    }),
    { numRuns: 100 },
  );
});

test('an answer that is written whole is read as the same', () => {
  fc.assert(
    fc.property(answerEvents, (events) => {
      const answer = dialect.readAnswer(Buffer.from(chatCompletionsDialect.writeAnswer(events, stamp, request, () => {})));
      expect(said(answer?.events ?? [])).toEqual(said(events));
    }),
    { numRuns: 100 },
  );
});

const word = fc.string({ minLength: 1, maxLength: 8 });
const content = fc.oneof(word, fc.array(fc.record({ type: fc.constant('text'), text: word }), { minLength: 2, maxLength: 3 }));
const image = fc
  .constantFrom('https://a.example/b.png', 'data:image/png;base64,QUJD')
  .map((url) => ({ type: 'image_url', image_url: { url } }));
const call = fc
  .nat(9)
  .map((number) => ({ id: `call_${number}`, type: 'function', function: { name: 'f', arguments: `{"n":${number}.0}` } }));
const message = fc.oneof(
  fc.record({ role: fc.constantFrom('system', 'user'), content }),
  fc.record({ role: fc.constant('user'), content: fc.array(image, { minLength: 1, maxLength: 2 }) }),
  fc.record({ role: fc.constant('assistant'), content: word }),
  fc.record({ role: fc.constant('assistant'), content: fc.constant(null), tool_calls: fc.array(call, { minLength: 1, maxLength: 2 }) }),
  fc.record({ role: fc.constant('tool'), tool_call_id: word, content }),
);
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value);
const requests: fc.Arbitrary<ChatCompletionRequest & Readonly<Record<string, unknown>>> = fc.record({
  model: fc.constant('m'),
  messages: fc.array(message, { minLength: 1, maxLength: 5 }),
  max_tokens: maybe(fc.integer({ min: 1, max: 99 })),
  temperature: maybe(fc.constantFrom(0, 0.5, 1)),
  seed: maybe(fc.nat()),
  stop: maybe(fc.array(word, { minLength: 1, maxLength: 2 })),
  n: maybe(fc.integer({ min: 1, max: 3 })),
  logprobs: maybe(fc.boolean()),
  top_logprobs: maybe(fc.integer({ min: 0, max: 5 })),
  reasoning_effort: maybe(fc.constantFrom('none', 'low', 'high')),
  tools: fc.array(
    fc.record({
      type: fc.constant('function'),
      function: fc.record({ name: word, parameters: fc.constant({ type: 'object' }), strict: maybe(fc.boolean()) }),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  tool_choice: fc.constantFrom<unknown>(null, 'auto', 'required', { type: 'function', function: { name: 'f' } }),
  response_format: fc.constantFrom<unknown>(
    null,
    { type: 'json_object' },
    { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' }, strict: true } },
  ),
  stream: maybe(fc.boolean()),
});

test('a request that is read, written and read again means the same', () => {
  const fail = (field: string) => expect.unreachable(`${field} was not carried`);
  fc.assert(
    fc.property(requests, (written) => {
      const conversation = readRequest(written, fail);
      const again = readRequest(JSON.parse(dialect.writeRequest(conversation, testTarget('openai'), fail).body), fail);
      expect(again).toEqual(conversation);
    }),
  );
});

/** What the official client makes of a stream; null where it takes none. */
async function accumulated(bytes: Buffer) {
  const answered = async () => new Response(bytes.toString('utf8'), { headers: { 'content-type': 'text/event-stream' } });
  const client = new OpenAI({ apiKey: 'none', baseURL: 'http://gateway.test/v1', maxRetries: 0, fetch: answered });
  const stream = client.chat.completions.stream({ model: 'm', messages: [{ role: 'user', content: 'hi' }], n: 5 });
  return stream.finalChatCompletion().catch(() => null);
}

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
] as const;
const recorded = chatRecordings.filter(({ status }) => status === 200);
const protocolOf = (name: string) => PROTOCOLS.find((protocol) => name.startsWith(`${protocol}/`)) ?? 'openai';

describe('a recorded answer', () => {
  test.each(recorded.filter(({ events }) => events !== null).map((recording) => [recording.name, recording] as const))(
    '%s says the same translated, and its facts are those of its bytes',
    async (name, { bytes }) => {
      const { events, facts, end } = hear(bytes, bytes.length);
      expect(end).toBe(bytes.includes('"error":') ? 'failed' : 'completed');
      const ignore = (): void => {};
      const native = chatAnswersOf(protocolOf(name)).createStreamReader(
        { usageAsked: true, choices: 1 },
        { pass: ignore, completed: ignore, failed: ignore, broken: ignore },
      );
      native.push(bytes);
      native.end(true);
      expect({ ...facts, reportedCostPico: null }).toEqual({ ...native.facts(), finishReason: facts.finishReason, reportedCostPico: null });
      if (end !== 'completed') return;

      const writer = chatCompletionsDialect.createStreamWriter(stamp, request, () => {});
      const translated = await accumulated(Buffer.from(events.map((event) => writer.write(event)).join('') + writer.end()));
      expect(translated).not.toBeNull();
      const raw = await accumulated(bytes);
      if (raw === null) return;
      expect(translated?.choices.length).toBe(raw.choices.length);
      raw.choices.forEach((choice, index) => {
        const other = translated?.choices[index];
        const calls = choice.message.tool_calls?.map((made) =>
          made.type === 'function' ? [made.id, made.function.name, made.function.arguments || '{}'] : [],
        );
        expect(
          other?.message.tool_calls?.map((made) =>
            made.type === 'function' ? [made.id, made.function.name, made.function.arguments] : [],
          ),
        ).toEqual(calls);
        expect(other?.finish_reason).toBe(choice.finish_reason);
        // Mistral's parts are not texts, which the client puts together all the same.
        if (typeof choice.message.content === 'string' && !choice.message.content.includes('[object')) {
          expect(other?.message.content ?? '').toBe(choice.message.content);
        }
      });
    },
  );

  test.each(recorded.filter(({ events }) => events === null).map((recording) => [recording.name, recording] as const))(
    '%s, whole, says the same translated',
    (_name, { bytes }) => {
      const { choices } = JSON.parse(bytes.toString('utf8'));
      const answer = dialect.readAnswer(bytes);
      expect(answer?.refusal).toBeNull();
      const translated = JSON.parse(chatCompletionsDialect.writeAnswer(answer?.events ?? [], stamp, request, () => {})).choices;
      expect(translated.map(wordsOf)).toEqual(choices.map(wordsOf));
    },
  );
});

interface SaidChoice {
  readonly message: {
    readonly content: unknown;
    readonly refusal?: string | null;
    readonly tool_calls?: readonly { readonly id: string; readonly function: object }[] | null;
  };
  readonly finish_reason: string;
}

/** What a choice says, whatever else is around it. Mistral's parts are texts and thinking. */
function wordsOf({ message, finish_reason }: SaidChoice) {
  const { content: words, refusal, tool_calls: calls } = message;
  const parts = Array.isArray(words) ? words : [{ type: 'text', text: words ?? '' }];
  const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
  return { text, refusal: refusal ?? null, calls: (calls ?? []).map(({ id, function: called }) => [id, called]), finish_reason };
}
