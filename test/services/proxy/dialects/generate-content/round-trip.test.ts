import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { GenerateContentRequest } from '../../../../../schema/http/generate-content.ts';
import { INPUT_CLASSES, OUTPUT_CLASSES, sumClasses } from '../../../../../schema/values/token-usage.ts';
import type { AnswerEvent } from '../../../../../services/proxy/conversation/answer-event.ts';
import type { Conversation, Turn } from '../../../../../services/proxy/conversation/conversation.ts';
import { generateContentDialect } from '../../../../../services/proxy/dialects/generate-content/generate-content-dialect.ts';
import { readKeptSignature, writeKeptSignature } from '../../../../../services/proxy/dialects/generate-content/kept-signature.ts';
import { geminiDialect } from '../../../../../services/proxy/providers/gemini/gemini-dialect.ts';
import { joined, readStream, testConversation, testTarget } from '../../../../harness/conversations.ts';
import { answerEvents } from '../../conversation/answer-arbitraries.ts';

const stamp = { requestId: 'req_1', model: 'asked', createdSeconds: 1, usageAsked: true };
const request = (fields: Partial<GenerateContentRequest> = {}): GenerateContentRequest => ({
  model: 'asked',
  method: 'generateContent',
  isEventStream: false,
  body: { contents: [{}] },
  ...fields,
});

/** Each choice by itself, its pieces joined, as Google tells them: thinking that is not shown is a signature there, calls come whole. */
function sayable(events: readonly AnswerEvent[]): AnswerEvent[] {
  const told = events.flatMap((event): AnswerEvent[] => {
    if (!('choice' in event)) return [];
    if (event.kind === 'redacted_thinking') {
      return [{ kind: 'thinking_signature', choice: event.choice, signature: writeKeptSignature({ kind: 'redacted', data: event.data }) }];
    }
    return [event];
  });
  const choices = [...new Set(told.map((event) => ('choice' in event ? event.choice : 0)))].sort();
  const whole = choices.flatMap((choice) => joined(told.filter((event) => 'choice' in event && event.choice === choice)));
  return whole.filter((event) => event.kind !== 'tool_input' || event.json !== '{}');
}

/** Signatures are kept in the words of this gateway. */
function asWritten(events: readonly AnswerEvent[]): AnswerEvent[] {
  return events.map((event) =>
    event.kind === 'thinking_signature' && readKeptSignature(event.signature) === null
      ? { ...event, signature: writeKeptSignature({ kind: 'signature', signature: event.signature }) }
      : event,
  );
}

test('an answer written as a stream of content is read back as it was, wherever it is cut', () => {
  fc.assert(
    fc.property(answerEvents, fc.array(fc.nat(), { maxLength: 8 }), (events, cuts) => {
      const writer = generateContentDialect.createStreamWriter(stamp, request(), () => {});
      const bytes = Buffer.from(events.map((event) => writer.write(event)).join('') + writer.end());
      const read = readStream(geminiDialect, bytes, cuts);
      expect(read.ended).toBe('completed');
      expect(sayable(read.events)).toEqual(asWritten(sayable(events)));
    }),
    { numRuns: 60 },
  );
});

test('an answer written as whole content, alone or in a list, is read back as it was, and used the same', () => {
  fc.assert(
    fc.property(answerEvents, fc.constantFrom('generateContent' as const, 'streamGenerateContent' as const), (events, method) => {
      const answer = geminiDialect.readAnswer(
        Buffer.from(generateContentDialect.writeAnswer(events, stamp, request({ method }), () => {})),
      );
      expect(sayable(answer?.events ?? [])).toEqual(asWritten(sayable(events)));
      const used = events.findLast((event) => event.kind === 'usage')?.usage;
      const told = answer?.facts.usage ?? null;
      if (used === undefined || told === null) return;
      for (const classes of [INPUT_CLASSES, OUTPUT_CLASSES]) expect(sumClasses(told, classes) ?? 0).toBe(sumClasses(used, classes) ?? 0);
      expect([told.cacheRead, told.reasoning]).toEqual([used.cacheRead, used.reasoning]);
    }),
    { numRuns: 60 },
  );
});

const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 9 }).filter((text) => text.trim() !== '');
const text = words.map((said) => ({ kind: 'text' as const, text: said, cache: null }));
const source = (mediaType: string) =>
  fc.oneof(
    fc.base64String().map((data) => ({ kind: 'base64' as const, mediaType, data })),
    fc.webUrl().map((url) => ({ kind: 'url' as const, url, mediaType })),
  );
const image = source('image/png').map((at) => ({ kind: 'image' as const, source: at, detail: null, cache: null }));
const document = source('application/pdf').map((at) => ({ kind: 'document' as const, source: at, title: null, cache: null }));
const audio = fc
  .record({ data: fc.base64String(), format: fc.constantFrom('wav', 'mp3') })
  .map((sound) => ({ kind: 'audio' as const, ...sound }));
const name = fc.stringMatching(/^[a-z]{1,8}$/);
const input = fc.oneof(
  fc.dictionary(words, fc.jsonValue()).map((value) => JSON.stringify(value)),
  fc.constant('{"id":12345678901234567890,"share":1.0}'),
);
/** What a model said, with its calls, and their results. */
const exchange: fc.Arbitrary<Turn[]> = fc
  .record({
    thought: fc.option(words),
    said: fc.option(text),
    calls: fc.array(
      fc.record({ name, input, shown: fc.array(fc.oneof(image, document), { maxLength: 1 }), said: words, isError: fc.boolean() }),
      {
        maxLength: 3,
      },
    ),
    asked: fc.array(fc.oneof(text, image, document, audio), { minLength: 1, maxLength: 2 }),
  })
  .map(({ thought, said, calls, asked }): Turn[] => {
    const made = calls.map((call, index) => ({ ...call, callId: `call_${call.name}_${index}` }));
    const called = made.map((call) => ({
      kind: 'tool_call' as const,
      callId: call.callId,
      name: call.name,
      input: call.input,
      signature: null,
      cache: null,
    }));
    const results = made.map((call) => ({
      kind: 'tool_result' as const,
      callId: call.callId,
      toolName: call.name,
      parts: [{ kind: 'text' as const, text: call.said, cache: null }, ...call.shown],
      isError: call.isError,
      cache: null,
    }));
    const thinking = thought === null ? [] : [{ kind: 'thinking' as const, text: thought, signature: null }];
    const parts = [...thinking, ...(said === null ? [] : [said]), ...called];
    return [
      ...(parts.length === 0 ? [] : [{ role: 'assistant' as const, parts }]),
      ...(results.length === 0 ? [] : [{ role: 'user' as const, parts: results }]),
      { role: 'user', parts: asked },
    ];
  });
const turns: fc.Arbitrary<Turn[]> = fc
  .tuple(fc.array(text, { maxLength: 2 }), text, fc.array(exchange, { maxLength: 2 }))
  .map(([instructions, first, exchanges]) => [
    ...(instructions.length === 0 ? [] : [{ role: 'instructions' as const, parts: instructions }]),
    { role: 'user' as const, parts: [first] },
    ...exchanges.flat(),
  ]);
const tool = fc.record({
  name,
  description: words,
  parameters: fc.constant({ type: 'object', properties: { a: { type: 'string' } } }),
  strict: fc.constant(null),
  cache: fc.constant(null),
});
const conversation: fc.Arbitrary<Conversation> = fc
  .record({
    turns,
    tools: fc.array(tool, { minLength: 1, maxLength: 2 }),
    toolChoice: fc.constantFrom({ kind: 'auto' as const }, { kind: 'required' as const }, { kind: 'none' as const }, null),
    maxOutputTokens: fc.option(fc.integer({ min: 1, max: 64_000 })),
    temperature: fc.option(fc.constantFrom(0, 0.5, 2)),
    topP: fc.option(fc.constantFrom(0.5, 1)),
    topK: fc.option(fc.nat(100)),
    frequencyPenalty: fc.option(fc.constantFrom(0.5, -1)),
    presencePenalty: fc.option(fc.constantFrom(0.5, -1)),
    seed: fc.option(fc.nat(1_000)),
    stopSequences: fc.array(words, { maxLength: 5 }),
    choices: fc.integer({ min: 1, max: 4 }),
    logprobs: fc.option(fc.nat(5)),
    reasoning: fc.constantFrom(
      null,
      { effort: null, budgetTokens: 2_048, visible: true },
      { effort: null, budgetTokens: null, visible: true },
    ),
    outputFormat: fc.constantFrom<Conversation['outputFormat']>(
      { kind: 'text' },
      { kind: 'json' },
      {
        kind: 'json_schema',
        name: 'answer',
        schema: { type: 'object', properties: { a: {} }, required: ['a'], additionalProperties: false },
        strict: true,
      },
    ),
    serviceTier: fc.constantFrom('flex', 'default', null),
  })
  .map((fields) => testConversation(fields));

/** Neighbors of the same role are one, but for results, which Google has by themselves. */
function contentsOf(said: readonly Turn[]): Turn[] {
  const isResult = ({ role, parts }: Turn): boolean => role === 'user' && parts[0]?.kind === 'tool_result';
  return said.reduce<Turn[]>((all, turn) => {
    const last = all.at(-1);
    if (last?.role === 'user' && turn.role === 'user' && isResult(last) === isResult(turn)) {
      all[all.length - 1] = { role: 'user', parts: [...last.parts, ...turn.parts] };
    } else all.push(turn);
    return all;
  }, []);
}

test('a conversation written for Google is read back from it as it was', () => {
  fc.assert(
    fc.property(conversation, (said) => {
      const notCarried: string[] = [];
      const written = geminiDialect.writeRequest(said, testTarget('gemini-3-flash'), (field) => notCarried.push(field));
      // What stands in for a signature that was not kept is Google's own.
      const bytes = Buffer.from(written.body.replaceAll(',"thoughtSignature":"skip_thought_signature_validator"', ''));
      const asked = request({ body: JSON.parse(bytes.toString('utf8')) });
      const read = generateContentDialect.readRequest(asked, (field) => notCarried.push(field), bytes);
      expect(read).toEqual({ ...said, turns: contentsOf(said.turns) });
      expect(notCarried).toEqual([]);
    }),
    { numRuns: 60 },
  );
});
