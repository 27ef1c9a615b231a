import fc from 'fast-check';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { UNKNOWN_USAGE } from '../../../../../schema/values/token-usage.ts';
import type { AnswerEvent } from '../../../../../services/proxy/conversation/answer-event.ts';
import { readResponsesRequest } from '../../../../../services/proxy/dialects/responses/read-request.ts';
import { responsesDialect } from '../../../../../services/proxy/dialects/responses/responses-dialect.ts';

const request = { model: 'claude', input: 'hello', metadata: { for: 'a test' } };
const stamp = { requestId: 'req_01kf', model: 'anthropic/claude', createdSeconds: 1_790_000_000, usageAsked: false };
const usage = { ...UNKNOWN_USAGE, input: 10, cacheRead: 5, cacheWrite5m: 2, output: 7, reasoning: 3 };
const started: AnswerEvent = { kind: 'started', id: 'msg_1', model: 'claude-x', usage: null };
const finished = (reason: Extract<AnswerEvent, { kind: 'finished' }>['reason']): AnswerEvent => ({
  kind: 'finished',
  choice: 0,
  reason,
  stopSequence: null,
});
const text = (words: string): AnswerEvent => ({ kind: 'text', choice: 0, text: words });
const thinking = (words: string): AnswerEvent => ({ kind: 'thinking', choice: 0, text: words });
const call = (number: number, name: string, signature: string | null = null): AnswerEvent => ({
  kind: 'tool_call',
  choice: 0,
  call: number,
  callId: `call_${number}`,
  name,
  signature,
});
const input = (number: number, json: string): AnswerEvent => ({ kind: 'tool_input', choice: 0, call: number, json });

function streamed(events: readonly AnswerEvent[]): string {
  const writer = responsesDialect.createStreamWriter(stamp, request, () => {});
  return events.map((event) => writer.write(event)).join('') + writer.end();
}

/** The official client, which is answered with that. */
function clientOf(body: string, type: string): OpenAI {
  return new OpenAI({ apiKey: 'none', maxRetries: 0, fetch: async () => new Response(body, { headers: { 'content-type': type } }) });
}

/** What the official client makes of a stream, which is all of the answer. */
async function accumulated(events: readonly AnswerEvent[]) {
  const stream = clientOf(streamed(events), 'text/event-stream').responses.stream({ model: 'claude', input: 'hello' });
  const numbers: number[] = [];
  for await (const event of stream) numbers.push(event.sequence_number);
  expect(numbers).toEqual(numbers.map((_number, index) => index));
  return stream.finalResponse();
}

const question = { role: 'user', content: 'hello' };
const whole = (events: readonly AnswerEvent[]) => JSON.parse(responsesDialect.writeAnswer(events, stamp, request, () => {}));

describe('the official client', () => {
  test('accumulates thinking, text with what it rests on, and interleaved calls', async () => {
    const events: AnswerEvent[] = [
      started,
      thinking('Let me '),
      thinking('see.'),
      { kind: 'thinking_signature', choice: 0, signature: 'sig' },
      text('It is '),
      text('sunny.'),
      {
        kind: 'citation',
        choice: 0,
        citation: { title: 'Weather', url: 'https://weather.example', quoted: null, start: 0, end: 12 },
      },
      call(0, 'first'),
      input(0, '{"a":'),
      call(1, 'second', 'proof'),
      call(2, 'none'),
      input(1, '{"b":2}'),
      input(0, '1}'),
      finished('tool_calls'),
      { kind: 'service_tier', tier: 'priority' },
      { kind: 'usage', usage },
    ];
    const final = await accumulated(events);
    expect(final).toMatchObject({
      id: 'resp_01kf',
      object: 'response',
      status: 'completed',
      model: 'anthropic/claude',
      created_at: 1_790_000_000,
      service_tier: 'priority',
      store: false,
      metadata: { for: 'a test' },
      output_text: 'It is sunny.',
      usage: {
        input_tokens: 17,
        input_tokens_details: { cached_tokens: 5, cache_write_tokens: 2 },
        output_tokens: 10,
        output_tokens_details: { reasoning_tokens: 3 },
        total_tokens: 27,
      },
    });
    expect(final.output.map((item) => [item.type, 'status' in item ? item.status : null])).toEqual([
      ['reasoning', null],
      ['message', 'completed'],
      ['function_call', 'completed'],
      ['reasoning', null],
      ['function_call', 'completed'],
      ['function_call', 'completed'],
    ]);
    expect(final.output.flatMap((item) => (item.type === 'function_call' ? [[item.call_id, item.name, item.arguments]] : []))).toEqual([
      ['call_0', 'first', '{"a":1}'],
      ['call_1', 'second', '{"b":2}'],
      ['call_2', 'none', '{}'],
    ]);
    expect(final.output[1]).toMatchObject({
      content: [
        { annotations: [{ type: 'url_citation', url: 'https://weather.example', title: 'Weather', start_index: 0, end_index: 12 }] },
      ],
    });
  });

  test.each([
    ['length', 'max_output_tokens'],
    ['refused', 'content_filter'],
  ] as const)('is told that an answer ended by %s is incomplete', async (reason, told) => {
    const final = await accumulated([started, text('half'), finished(reason)]);
    expect(final).toMatchObject({ status: 'incomplete', incomplete_details: { reason: told }, usage: null });
  });

  test('parses structured output of a whole answer', async () => {
    const answer = responsesDialect.writeAnswer(
      [started, text('{"age":3}'), finished('stop'), { kind: 'usage', usage }],
      stamp,
      request,
      () => {},
    );
    const format = { type: 'json_schema' as const, name: 'aged', schema: { type: 'object' } };
    const parsed = await clientOf(answer, 'application/json').responses.parse({ model: 'claude', input: 'hello', text: { format } });
    expect(parsed.output_parsed).toEqual({ age: 3 });
    expect(parsed.usage?.total_tokens).toBe(27);
  });

  test('reads a refusal in words as one', async () => {
    const final = await accumulated([started, { kind: 'refusal', choice: 0, text: 'I will not.' }, finished('refused')]);
    expect(final).toMatchObject({ status: 'completed', output: [{ content: [{ type: 'refusal', refusal: 'I will not.' }] }] });
  });
});

/** What the client puts into a response that was not sent. */
const ADDED: ReadonlySet<string> = new Set(['output_text', 'output_parsed', 'parsed', 'parsed_arguments']);

const words = fc.string({ unit: 'binary', minLength: 1 });
const piece: fc.Arbitrary<AnswerEvent[]> = fc.oneof(
  words.map((said) => [text(said)]),
  words.map((thought) => [thinking(thought)]),
  fc
    .tuple(words, words)
    .map(([thought, signature]): AnswerEvent[] => [thinking(thought), { kind: 'thinking_signature', choice: 0, signature }]),
  words.map((data): AnswerEvent[] => [{ kind: 'redacted_thinking', choice: 0, data }]),
  words.map((refusal): AnswerEvent[] => [{ kind: 'refusal', choice: 0, text: refusal }]),
);
/** An answer as readers promise it: pieces, then calls whose inputs come in any order. */
const answers = fc
  .record({
    pieces: fc.array(piece, { maxLength: 6 }),
    calls: fc.array(fc.record({ input: fc.dictionary(words, fc.integer()), signature: fc.option(words) }), { maxLength: 3 }),
    reason: fc.constantFrom('stop' as const, 'tool_calls' as const, 'paused' as const),
  })
  .map(({ pieces, calls, reason }) => [
    started,
    ...pieces.flat(),
    ...calls.map(({ signature }, number) => call(number, `tool_${number}`, signature)),
    ...calls.map((called, number) => input(number, JSON.stringify(called.input))),
    finished(reason),
    { kind: 'usage' as const, usage },
  ]);

describe('whatever an answer consists of', () => {
  test('its stream and its whole are the same response', async () => {
    await fc.assert(
      fc.asyncProperty(answers, async (events) => {
        const final = await accumulated(events);
        const sent = JSON.stringify(final, (key, value) => (ADDED.has(key) ? undefined : value));
        expect(JSON.parse(sent)).toEqual(whole(events));
      }),
      { numRuns: 25 },
    );
  });

  test('handed back as input it is what the model said', () => {
    fc.assert(
      fc.property(answers, (events) => {
        const told: string[] = [];
        const { turns } = readResponsesRequest({ model: 'claude', input: [question, ...whole(events).output] }, (field) =>
          told.push(field),
        );
        expect(told).toEqual([]);
        expect(turns.slice(1).flatMap<unknown>(({ parts }) => [...parts])).toEqual(said(events));
      }),
      { numRuns: 100 },
    );
  });
});

/** The parts an answer consists of, neighbors of one kind joined. */
function said(events: readonly AnswerEvent[]): unknown[] {
  const parts: { kind: string; text?: string; signature?: string | null; input?: string }[] = [];
  let open = false;
  for (const event of events) {
    const last = parts.at(-1);
    if (event.kind === 'text' || event.kind === 'refusal' || event.kind === 'thinking') {
      if (open && last?.kind === event.kind) last.text += event.text;
      else
        parts.push({
          kind: event.kind,
          text: event.text,
          ...(event.kind === 'text' ? { cache: null } : {}),
          ...(event.kind === 'thinking' ? { signature: null } : {}),
        });
      open = true;
    } else if (event.kind === 'thinking_signature' && last !== undefined) {
      last.signature = event.signature;
      open = false;
    } else if (event.kind === 'redacted_thinking') {
      parts.push({ kind: event.kind, ...{ data: event.data } });
      open = false;
    } else if (event.kind === 'tool_call') {
      const { callId, name, signature } = event;
      parts.push({ kind: 'tool_call', ...{ callId, name, cache: null }, signature, input: '' });
    } else if (event.kind === 'tool_input') {
      const at = parts.findIndex((part) => 'callId' in part && part.callId === `call_${event.call}`);
      const part = parts[at];
      if (part !== undefined) part.input += event.json;
    }
  }
  return parts;
}
