import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AnswerEvent } from '../../../../../services/proxy/conversation/answer-event.ts';
import { cohereDialect } from '../../../../../services/proxy/providers/cohere/cohere-provider.ts';
import { joined, readStream } from '../../../../harness/conversations.ts';
import { providerRecording } from '../../../../harness/provider-recordings.ts';

const bytesOf = (name: string): Buffer => providerRecording(`cohere/v2.chat.${name}`).bytes;
const streamOf = (...events: object[]): Buffer => Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));

/** What was told, in short. */
const short = (events: readonly AnswerEvent[]): string[] =>
  joined(events).map((event) => {
    if (event.kind === 'text' || event.kind === 'thinking') return `${event.kind} ${event.text}`;
    if (event.kind === 'tool_call') return `call ${event.call} ${event.name}`;
    if (event.kind === 'tool_input') return `input ${event.call} ${event.json}`;
    if (event.kind === 'citation') return `citation ${event.citation.start}-${event.citation.end} ${event.citation.title}`;
    return event.kind === 'finished' ? `finished ${event.reason}` : event.kind;
  });

test('parallel calls come in pieces, behind what was planned', () => {
  const { events, ended, facts } = readStream(cohereDialect, bytesOf('stream.parallel-tools'));
  expect(short(events)).toEqual([
    'started',
    'text I will search for the current time and weather in Tokyo.',
    'call 0 get_time',
    'input 0 {\n    "location": "Tokyo"\n}',
    'call 1 get_weather',
    'input 1 {\n    "location": "Tokyo"\n}',
    'usage',
    'finished tool_calls',
  ]);
  expect([ended, facts.finishReason, facts.rawUsage]).toEqual([
    'completed',
    'TOOL_CALL',
    '{"billed_units":{"input_tokens":62,"output_tokens":28},"tokens":{"input_tokens":968,"output_tokens":83}}',
  ]);
});

test('a call without arguments has no input', () => {
  const { events } = readStream(cohereDialect, bytesOf('stream.tool-no-args'));
  expect(short(events).slice(-3)).toEqual(['call 0 currentTime', 'usage', 'finished tool_calls']);
});

test('thinking is no text, and citations count from the text', () => {
  const told = short(readStream(cohereDialect, bytesOf('stream.reasoning')).events);
  const text = told.find((line) => line.startsWith('text '))?.slice('text '.length) ?? '';
  expect(told.filter((line) => line.startsWith('citation'))).toEqual(['citation 49-67 facts.txt', 'citation 73-78 facts.txt']);
  expect(text.slice(49, 67)).toBe('Yukihiro Matsumoto');
  expect(told[1]).toMatch(/^thinking The document clearly/);
});

test('a whole answer tells the same as a stream', () => {
  const told = cohereDialect.readAnswer(bytesOf('sync.parallel'));
  expect(short(told?.events ?? [])).toEqual([
    'started',
    'text I will roll the dice three times.',
    ...[0, 1, 2].flatMap((call) => [`call ${call} dice_roll`, `input ${call} {}`]),
    'usage',
    'finished tool_calls',
  ]);
  const cited = short(cohereDialect.readAnswer(bytesOf('sync.reasoning'))?.events ?? []);
  expect(cited.filter((line) => line.startsWith('citation'))).toHaveLength(3);
  expect(cohereDialect.readAnswer(Buffer.from('{"message":"too late"}'))).toBeNull();
  expect(cohereDialect.readAnswer(Buffer.from('<html>'))).toBeNull();
});

test('a stream tells the same wherever the reads cut it', () => {
  for (const name of ['stream.parallel', 'stream.reasoning', 'stream.tool-call', 'stream.tool-no-args']) {
    const bytes = bytesOf(name);
    const whole = readStream(cohereDialect, bytes);
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 40 }), (cuts) => {
        expect(readStream(cohereDialect, bytes, cuts)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  }
});

test('a stream that stops before its end is not complete', () => {
  const bytes = bytesOf('stream.parallel');
  const { ended, facts } = readStream(cohereDialect, bytes.subarray(0, bytes.indexOf('event: message-end')));
  expect([ended, facts.usageFlags]).toEqual(['unfinished', ['usage_missing']]);
});

test('an answer that could not be finished is an error, with what it used', () => {
  const end = { finish_reason: 'ERROR', error: 'the model fell over', usage: { billed_units: { input_tokens: 3, output_tokens: 2 } } };
  const { ended, failure, facts } = readStream(
    cohereDialect,
    streamOf({ type: 'message-start', id: 'a' }, { type: 'message-end', delta: end }),
  );
  expect([ended, failure?.message, failure?.code, failure?.status]).toEqual(['failed', 'the model fell over', 'ERROR', 502]);
  expect(facts.usage).toMatchObject({ input: 3, output: 2 });
  expect(readStream(cohereDialect, streamOf({ message: 'trial limit' }))).toMatchObject({
    ended: 'failed',
    failure: { message: 'trial limit' },
  });
});

test.each([
  [401, { message: 'invalid api token' }, 502, 'upstream_credentials_rejected'],
  [498, { message: 'invalid token' }, 502, 'upstream_credentials_rejected'],
  [400, { message: 'too many tokens: size limit exceeded by 12 tokens' }, 400, 'context_length_exceeded'],
  [400, { message: 'x', error_type: 'TOO_MANY_TOKENS' }, 400, 'context_length_exceeded'],
  [404, { id: '1', message: "model 'x' not found" }, 404, null],
  [429, { message: 'trial key' }, 429, null],
  [500, { message: 'oops' }, 502, null],
])('a refusal %i %j is %i %s', (status, body, wanted, code) => {
  const refusal = cohereDialect.readRefusal(status, {}, Buffer.from(JSON.stringify(body)));
  expect([refusal.status, refusal.code]).toEqual([wanted, code]);
});
