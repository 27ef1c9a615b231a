import fc from 'fast-check';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import type { TokenUsage } from '../../../../../schema/values/token-usage.ts';
import { UNKNOWN_USAGE } from '../../../../../schema/values/token-usage.ts';
import type { AnswerEvent } from '../../../../../services/proxy/conversation/answer-event.ts';
import { chatCompletionsDialect } from '../../../../../services/proxy/dialects/chat-completions/chat-completions-dialect.ts';
import { readRequest } from '../../../../../services/proxy/dialects/chat-completions/read-request.ts';
import { writeUsage } from '../../../../../services/proxy/dialects/chat-completions/write-usage.ts';
import { answerEvents } from '../../conversation/answer-arbitraries.ts';

const request = { model: 'acme/model', messages: [{ role: 'user', content: 'hi' }] };
const stamp = (usageAsked = false) => ({ requestId: 'req_0198', model: 'acme/model', createdSeconds: 1_700_000_000, usageAsked });

const whole = (events: readonly AnswerEvent[]) => JSON.parse(chatCompletionsDialect.writeAnswer(events, stamp(), request, () => {}));

function streamed(events: readonly AnswerEvent[], usageAsked = false): string {
  const writer = chatCompletionsDialect.createStreamWriter(stamp(usageAsked), request, () => {});
  return events.map((event) => writer.write(event)).join('') + writer.end();
}

const chunksOf = (text: string) =>
  text
    .split('\n\n')
    .filter((event) => event !== '' && event !== 'data: [DONE]')
    .map((event) => JSON.parse(event.slice('data: '.length)));

/** What the official client makes of a stream. */
function accumulated(text: string, choices = 1) {
  const answered = async () => new Response(text, { headers: { 'content-type': 'text/event-stream' } });
  const client = new OpenAI({ apiKey: 'none', baseURL: 'http://gateway.test/v1', maxRetries: 0, fetch: answered });
  return client.chat.completions.stream({ ...request, messages: [{ role: 'user', content: 'hi' }], n: choices }).finalChatCompletion();
}

const started: AnswerEvent = { kind: 'started', id: 'msg_1', model: 'm-1', usage: null };
const finished = (reason: 'stop' | 'refused' | 'paused' | 'stop_sequence' | 'tool_calls' | 'length', choice = 0): AnswerEvent => ({
  kind: 'finished',
  choice,
  reason,
  stopSequence: null,
});

const THOUGHT: readonly AnswerEvent[] = [
  started,
  { kind: 'thinking', choice: 0, text: 'let me ' },
  { kind: 'thinking', choice: 0, text: 'see' },
  { kind: 'thinking_signature', choice: 0, signature: 'sig-1' },
  { kind: 'redacted_thinking', choice: 0, data: 'xxx' },
  { kind: 'text', choice: 0, text: 'I call.' },
  { kind: 'tool_call', choice: 0, call: 0, callId: 'call_a', name: 'f', signature: 'sig-2' },
  { kind: 'tool_input', choice: 0, call: 0, json: '{"id":' },
  { kind: 'tool_input', choice: 0, call: 0, json: '12345678901234567890}' },
  { kind: 'tool_call', choice: 0, call: 1, callId: 'call_b', name: 'now', signature: null },
  finished('tool_calls'),
];

test('a whole answer has words, thinking with its signatures, and calls to the digit', () => {
  expect(whole(THOUGHT)).toEqual({
    id: 'chatcmpl-0198',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'acme/model',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'I call.',
          refusal: null,
          reasoning_content: 'let me see',
          thinking_blocks: [
            { type: 'thinking', thinking: 'let me see', signature: 'sig-1' },
            { type: 'redacted_thinking', data: 'xxx' },
          ],
          tool_calls: [
            {
              id: 'call_a',
              type: 'function',
              function: { name: 'f', arguments: '{"id":12345678901234567890}' },
              extra_content: { google: { thought_signature: 'sig-2' } },
            },
            { id: 'call_b', type: 'function', function: { name: 'now', arguments: '{}' } },
          ],
        },
        logprobs: null,
        finish_reason: 'tool_calls',
      },
    ],
  });
});

test('a message that the official client put together from a stream gives back what was thought, unchanged', async () => {
  const { choices } = await accumulated(streamed(THOUGHT));
  const message = choices[0]?.message;
  const { turns } = readRequest({ model: 'm', messages: [{ ...message }] }, () => {});
  expect(turns).toEqual([
    {
      role: 'assistant',
      parts: [
        { kind: 'thinking', text: 'let me see', signature: 'sig-1' },
        { kind: 'redacted_thinking', data: 'xxx' },
        { kind: 'text', text: 'I call.', cache: null },
        { kind: 'tool_call', callId: 'call_a', name: 'f', input: '{"id":12345678901234567890}', signature: 'sig-2', cache: null },
        { kind: 'tool_call', callId: 'call_b', name: 'now', input: '{}', signature: null, cache: null },
      ],
    },
  ]);
});

test('a stream begins with the role, is stamped the same throughout, and says nothing before the model does', () => {
  const writer = chatCompletionsDialect.createStreamWriter(stamp(), request, () => {});
  expect(writer.write(started)).toBe('');
  const chunks = chunksOf(writer.write({ kind: 'text', choice: 0, text: 'Hi' }));
  expect(chunks.map(({ choices }) => choices[0].delta)).toEqual([{ role: 'assistant', content: '', refusal: null }, { content: 'Hi' }]);
  for (const chunk of chunks) {
    expect(chunk).toMatchObject({ id: 'chatcmpl-0198', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'acme/model' });
    expect(chunk).not.toHaveProperty('usage');
  }
});

test('usage comes with a stream only where it was asked for, in a chunk of its own before the end', () => {
  const usage: TokenUsage = { ...UNKNOWN_USAGE, input: 5, output: 7 };
  const events: AnswerEvent[] = [
    { ...started, usage: { ...UNKNOWN_USAGE, input: 5 } },
    { kind: 'text', choice: 0, text: 'x' },
    finished('stop'),
    { kind: 'service_tier', tier: 'priority' },
    { kind: 'usage', usage },
  ];
  expect(streamed(events)).not.toContain('usage');
  const asked = chunksOf(streamed(events, true));
  expect(asked.slice(0, -1).map((chunk) => chunk.usage)).toEqual([null, null, null]);
  expect(asked.at(-1)).toMatchObject({
    choices: [],
    usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
    service_tier: 'priority',
  });
  expect(streamed([finished('stop')], true)).toMatch(/"finish_reason":"stop"}\],"usage":null}\n\ndata: \[DONE\]\n\n$/);
  expect(whole(events)).toMatchObject({ usage: { total_tokens: 12 }, service_tier: 'priority' });
});

test('classes that are apart are told as OpenAI nests them, and what is unknown is left out', () => {
  const usage = { ...UNKNOWN_USAGE, input: 10, cacheRead: 4, cacheWrite5m: 2, cacheWrite1h: 1, output: 20, reasoning: 8 };
  expect(writeUsage(usage)).toEqual({
    prompt_tokens: 17,
    completion_tokens: 28,
    total_tokens: 45,
    prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 3 },
    completion_tokens_details: { reasoning_tokens: 8 },
  });
  expect(writeUsage({ ...UNKNOWN_USAGE, output: 0 })).toEqual({ completion_tokens: 0, total_tokens: 0 });
  expect(writeUsage(UNKNOWN_USAGE)).toBeNull();
});

test.each([
  [[finished('refused')], 'content_filter', null],
  [[{ kind: 'refusal', choice: 0, text: 'I will not.' } as const, finished('refused')], 'stop', 'I will not.'],
  [[finished('paused')], 'stop', null],
  [[finished('stop_sequence')], 'stop', null],
  [[finished('length')], 'length', null],
])('an answer ends for a reason that OpenAI knows: %j', async (events, reason, refusal) => {
  expect(whole(events).choices[0]).toMatchObject({ finish_reason: reason, message: { refusal } });
  const { choices } = await accumulated(streamed(events));
  expect(choices[0]).toMatchObject({ finish_reason: reason, message: { refusal } });
});

test('sources with an address are annotations, whole in one piece, and the others are none', () => {
  const citation = (url: string | null, start: number | null, end: number | null): AnswerEvent => ({
    kind: 'citation',
    choice: 0,
    citation: { title: null, url, quoted: 'q', start, end },
  });
  const events: AnswerEvent[] = [
    { kind: 'text', choice: 0, text: 'abcdef' },
    citation('https://a.example', 1, 3),
    citation('https://b.example', null, null),
    citation(null, 0, 1),
    finished('stop'),
  ];
  const annotations = [
    { type: 'url_citation', url_citation: { start_index: 1, end_index: 3, title: 'https://a.example', url: 'https://a.example' } },
    { type: 'url_citation', url_citation: { start_index: 0, end_index: 6, title: 'https://b.example', url: 'https://b.example' } },
  ];
  expect(whole(events).choices[0].message.annotations).toEqual(annotations);
  expect(
    chunksOf(streamed(events))
      .map(({ choices }) => choices[0].delta.annotations)
      .filter(Boolean),
  ).toEqual([annotations]);
});

test('whatever a model answers, the official client takes the stream, and it says the same as the whole answer', async () => {
  await fc.assert(
    fc.asyncProperty(answerEvents, async (events) => {
      const choices = new Set(events.flatMap((event) => ('choice' in event ? [event.choice] : []))).size;
      const final = await accumulated(streamed(events, true), choices);
      const answer = whole(events);
      expect(final.choices.map(({ index }) => index)).toEqual(answer.choices.map(({ index }: { index: number }) => index));
      final.choices.forEach((choice, index) => {
        const { reasoning_content: _, ...message } = answer.choices[index].message;
        // An answer without a word has an empty text in a stream, whose role comes with one.
        const content = message.content ?? '';
        expect(choice).toMatchObject({
          finish_reason: answer.choices[index].finish_reason,
          message: { ...message, content },
          logprobs: answer.choices[index].logprobs,
        });
      });
      expect(final.usage ?? null).toEqual(answer.usage ?? null);
    }),
    { numRuns: 25 },
  );
});
