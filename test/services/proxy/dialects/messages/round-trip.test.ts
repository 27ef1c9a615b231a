import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MessagesRequest } from '../../../../../schema/http/messages.ts';
import type { AnswerEvent } from '../../../../../services/proxy/conversation/answer-event.ts';
import type { CacheMark, Conversation, TextPart, Turn } from '../../../../../services/proxy/conversation/conversation.ts';
import { messagesDialect } from '../../../../../services/proxy/dialects/messages/messages-dialect.ts';
import { anthropicDialect } from '../../../../../services/proxy/providers/anthropic/anthropic-dialect.ts';
import { joined, readStream, testConversation, testTarget } from '../../../../harness/conversations.ts';
import { answerEvents } from '../../conversation/answer-arbitraries.ts';

const stamp = { requestId: 'req_1', model: 'asked', createdSeconds: 1, usageAsked: true };
const request: MessagesRequest = { model: 'asked', messages: [{}] };

/** What a message can say of an answer: one choice, its pieces joined, an input for each call. */
function sayable(events: readonly AnswerEvent[]): AnswerEvent[] {
  const kept = events.filter((event) => ('choice' in event ? event.choice === 0 : false));
  const whole = joined(kept).filter((event) => event.kind !== 'tool_input' || event.json !== '{}');
  return whole;
}

test('an answer written as a stream of messages is read back as it was, wherever it is cut', () => {
  fc.assert(
    fc.property(answerEvents, fc.array(fc.nat(), { maxLength: 8 }), (events, cuts) => {
      const writer = messagesDialect.createStreamWriter(stamp, request, () => {});
      const bytes = Buffer.from(events.map((event) => writer.write(event)).join('') + writer.end());
      const read = readStream(anthropicDialect, bytes, cuts);
      expect(read.ended).toBe('completed');
      expect(sayable(read.events)).toEqual(sayable(events));
    }),
    { numRuns: 60 },
  );
});

test('an answer written as a whole message is read back as it was, and used the same', () => {
  fc.assert(
    fc.property(answerEvents, (events) => {
      const answer = anthropicDialect.readAnswer(Buffer.from(messagesDialect.writeAnswer(events, stamp, request, () => {})));
      expect(sayable(answer?.events ?? [])).toEqual(sayable(events));
      const used = events.findLast((event) => event.kind === 'usage')?.usage;
      if (used === undefined) return;
      const sum = (...counts: (number | null)[]) =>
        counts.reduce<number | null>((all, count) => (count === null ? all : (all ?? 0) + count), null);
      const told = answer?.facts.usage ?? null;
      expect(sum(told?.input ?? null)).toBe(sum(used.input, used.inputAudio, used.inputImage));
      expect(sum(told?.output ?? null, told?.reasoning ?? null)).toBe(sum(used.output, used.reasoning, used.outputAudio, used.outputImage));
      expect(sum(told?.cacheRead ?? null)).toBe(told === null ? null : used.cacheRead);
    }),
    { numRuns: 60 },
  );
});

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 9 }).filter((text) => text.trim() !== '');
const cache: fc.Arbitrary<CacheMark | null> = fc.option(fc.record({ ttl: fc.constantFrom('5m' as const, '1h' as const, null) }));
const text: fc.Arbitrary<TextPart> = fc.record({ kind: fc.constant('text' as const), text: words, cache });
const source = fc.oneof(
  fc.record({ kind: fc.constant('base64' as const), mediaType: fc.constantFrom('image/png', 'application/pdf'), data: fc.base64String() }),
  fc.record({ kind: fc.constant('url' as const), url: fc.webUrl(), mediaType: fc.constant(null) }),
  fc.record({ kind: fc.constant('file' as const), id: words }),
);
const image = fc.record({ kind: fc.constant('image' as const), source, detail: fc.constant(null), cache });
const document = fc.record({
  kind: fc.constant('document' as const),
  source: fc.oneof(source, fc.record({ kind: fc.constant('text' as const), text: words })),
  title: fc.option(words),
  cache,
});
const callId = fc.stringMatching(/^[a-zA-Z0-9_-]{1,10}$/);
const result = fc.record({
  kind: fc.constant('tool_result' as const),
  callId,
  toolName: fc.constant(null),
  parts: fc.array(fc.oneof(text, image, document), { maxLength: 2 }),
  isError: fc.boolean(),
  cache,
});
const call = fc.record({
  kind: fc.constant('tool_call' as const),
  callId,
  name: fc.stringMatching(/^[a-z]{1,8}$/),
  input: fc.oneof(
    fc.dictionary(words, fc.jsonValue()).map((input) => JSON.stringify(input)),
    fc.constant('{"id":12345678901234567890,"share":1.0}'),
  ),
  signature: fc.constant(null),
  cache,
});
const thinking = fc.oneof(
  fc.record({ kind: fc.constant('thinking' as const), text: fc.string(), signature: words }),
  fc.record({ kind: fc.constant('redacted_thinking' as const), data: words }),
);
const user: fc.Arbitrary<Turn> = fc
  .tuple(fc.array(result, { maxLength: 2 }), fc.array(fc.oneof(text, image, document), { minLength: 1, maxLength: 2 }))
  .map(([results, said]) => ({ role: 'user', parts: [...results, ...said] }));
const assistant: fc.Arbitrary<Turn> = fc
  .tuple(fc.array(thinking, { maxLength: 1 }), fc.array(fc.oneof(text, call), { minLength: 1, maxLength: 2 }))
  .map(([thoughts, said]) => ({ role: 'assistant', parts: [...thoughts, ...said] }));
const turns: fc.Arbitrary<Turn[]> = fc
  .tuple(fc.array(text, { maxLength: 2 }), fc.array(fc.tuple(user, assistant), { maxLength: 2 }), user)
  .map(([instructions, exchanges, last]) => [
    ...(instructions.length === 0 ? [] : [{ role: 'instructions' as const, parts: instructions }]),
    ...exchanges.flat(),
    last,
  ]);
const tool = fc.record({
  name: fc.stringMatching(/^[a-z]{1,8}$/),
  description: fc.option(words),
  parameters: fc.constant({ type: 'object', properties: { a: { type: 'string' } } }),
  strict: fc.constantFrom(true, null),
  cache,
});
const conversation: fc.Arbitrary<Conversation> = fc
  .record({
    turns,
    tools: fc.array(tool, { minLength: 1, maxLength: 2 }),
    toolChoice: fc.constantFrom({ kind: 'auto' as const }, { kind: 'required' as const }, { kind: 'tool' as const, name: 'look' }),
    parallelToolCalls: fc.constantFrom(false, null),
    maxOutputTokens: fc.integer({ min: 1, max: 64_000 }),
    temperature: fc.option(fc.constantFrom(0, 0.5, 1)),
    topK: fc.option(fc.nat(100)),
    stopSequences: fc.array(words, { maxLength: 2 }),
    outputFormat: fc.constantFrom<Conversation['outputFormat']>(
      { kind: 'text' },
      { kind: 'json_schema', name: 'answer', schema: { type: 'object' }, strict: true },
    ),
    serviceTier: fc.constantFrom('auto', 'default', null),
    endUser: fc.option(words),
    stream: fc.boolean(),
  })
  .map((fields) => testConversation(fields));

test('a conversation written for Anthropic is read back from it as it was', () => {
  const target = testTarget('claude-sonnet-4-5', { maxOutputTokens: 64_000 });
  fc.assert(
    fc.property(conversation, (said) => {
      const notCarried: string[] = [];
      const bytes = Buffer.from(anthropicDialect.writeRequest(said, target, (field) => notCarried.push(field)).body);
      const read = messagesDialect.readRequest(JSON.parse(bytes.toString('utf8')), (field) => notCarried.push(field), bytes);
      expect(read).toEqual(said);
      expect(notCarried).toEqual([]);
    }),
    { numRuns: 60 },
  );
});
