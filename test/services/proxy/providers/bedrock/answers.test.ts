import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AnswerEvent } from '../../../../../services/proxy/conversation/answer-event.ts';
import { converseDialect } from '../../../../../services/proxy/providers/bedrock/bedrock-provider.ts';
import { frameOf } from '../../../../harness/aws-frames.ts';
import { joined, readStream } from '../../../../harness/conversations.ts';
import { providerRecording } from '../../../../harness/provider-recordings.ts';

const bytesOf = (name: string): Buffer => providerRecording(`bedrock/converse${name}`).bytes;

/** What was told, in short. */
const short = (events: readonly AnswerEvent[]): string[] =>
  joined(events).map((event) => {
    if (event.kind === 'text' || event.kind === 'thinking') return `${event.kind} ${event.text.slice(0, 24)}`;
    if (event.kind === 'redacted_thinking') return `redacted ${event.data.length}`;
    if (event.kind === 'tool_call') return `call ${event.call} ${event.name}`;
    if (event.kind === 'tool_input') return `input ${event.call} ${event.json}`;
    if (event.kind === 'citation') return `citation ${JSON.stringify(event.citation)}`;
    if (event.kind === 'service_tier') return `tier ${event.tier}`;
    return event.kind === 'finished' ? `finished ${event.reason}` : event.kind;
  });
const streamed = (name: string): string[] => short(readStream(converseDialect, bytesOf(`-stream.stream.${name}`)).events);
const whole = (name: string): string[] => short(converseDialect.readAnswer(bytesOf(`.sync.${name}`))?.events ?? []);

test('usage comes behind the stop, and both are told', () => {
  expect(streamed('text')).toEqual(['started', 'text Sure! Here is the count ', 'finished stop', 'usage']);
  expect(streamed('stop-length').slice(2)).toEqual(['finished length', 'usage']);
  expect(streamed('filtered').slice(2)).toEqual(['finished refused', 'usage']);
});

test('a tool that the provider calls and answers itself is none of the application', () => {
  expect(streamed('parallel-tools')).toEqual([
    'started',
    'call 0 final_result',
    'input 0 {"result":7006652.0}',
    'finished tool_calls',
    'usage',
  ]);
});

test('thinking that may not be read is carried as it is', () => {
  expect(streamed('reasoning_redacted')).toEqual([
    'started',
    expect.stringMatching(/^redacted \d+$/),
    expect.stringMatching(/^redacted \d+$/),
    expect.stringMatching(/^text I notice/),
    'finished stop',
    'usage',
  ]);
});

test('a whole answer has calls, thinking, citations and its tier', () => {
  expect(whole('parallel-tools')).toEqual([
    'started',
    ...[0, 1, 2].flatMap((call) => [`call ${call} dice_roll`, `input ${call} {}`]),
    'usage',
    'finished tool_calls',
  ]);
  expect(whole('reasoning')).toEqual([
    'started',
    'thinking I need to answer the use',
    expect.stringMatching(/^text/),
    'usage',
    'finished stop',
  ]);
  expect(whole('document-in_citations')[2]).toBe(
    `citation ${JSON.stringify({
      title: 'facts',
      url: null,
      quoted: 'The Ruby programming language was created by Yukihiro Matsumoto in 1993. ',
      start: 0,
      end: 72,
    })}`,
  );
  expect(whole('service-tier')).toEqual(['started', 'text The capital of France is', 'tier flex', 'usage', 'finished length']);
  expect(converseDialect.readAnswer(Buffer.from('{"message":"no"}'))).toBeNull();
});

test('the arguments of a call keep their digits', () => {
  const call = '{"toolUseId":"t","name":"f","input":{"id":12345678901234567890,"x":1.0}}';
  const answer = `{"output":{"message":{"content":[{"toolUse":${call}}]}},"stopReason":"tool_use","usage":{"inputTokens":1,"outputTokens":2}}`;
  expect(short(converseDialect.readAnswer(Buffer.from(answer))?.events ?? [])).toContain('input 0 {"id":12345678901234567890,"x":1.0}');
});

test('a stream tells the same wherever the reads cut it, inside of frames too', () => {
  for (const name of ['text', 'parallel-tools', 'reasoning_redacted', 'exception-throttling']) {
    const bytes = bytesOf(`-stream.stream.${name}`);
    const uncut = readStream(converseDialect, bytes);
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 60 }), (cuts) => {
        expect(readStream(converseDialect, bytes, cuts)).toEqual(uncut);
      }),
      { numRuns: 20 },
    );
    expect(readStream(converseDialect, bytes, [...bytes.keys()])).toEqual(uncut);
  }
});

test('a frame that was altered on its way breaks the stream', () => {
  const bytes = Buffer.from(bytesOf('-stream.stream.text'));
  const place = bytes.indexOf('Sure');
  bytes[place] = 0x73;
  expect(readStream(converseDialect, bytes).ended).toBe('broken');
  expect(readStream(converseDialect, Buffer.from('data: {"error":"no frames"}\n\n')).ended).toBe('broken');
});

test('an exception in the stream is an error with the status it would have had', () => {
  const { ended, failure, events } = readStream(converseDialect, bytesOf('-stream.stream.exception-throttling'));
  expect([ended, failure?.status, failure?.code, failure?.message]).toEqual([
    'failed',
    429,
    'ThrottlingException',
    'Too many requests, please wait before trying again.',
  ]);
  expect(short(events)).toEqual(['started', 'text Hel']);
});

test('a stream without its last event is complete once the model stopped, and unfinished before', () => {
  const bytes = bytesOf('-stream.stream.text');
  const metadata = bytes.lastIndexOf(':event-type') - 13;
  expect(readStream(converseDialect, bytes.subarray(0, metadata))).toMatchObject({ ended: 'completed', facts: { usage: null } });
  expect(readStream(converseDialect, bytes.subarray(0, metadata - 100)).ended).toBe('unfinished');
});

const invoked = (name: string): Buffer => providerRecording(`bedrock/${name}`).bytes;
const named = (type: string) => ({ 'x-amzn-errortype': `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/` });

test.each([
  ['a model that does not exist', 400, {}, invoked('converse.sync.error-400.'), 400, null],
  ['too long', 400, named('ValidationException'), invoked('converse.sync.error-400_context'), 400, 'context_length_exceeded'],
  ['no access to a model', 403, named('AccessDeniedException'), invoked('invoke.sync.error-403'), 502, 'upstream_credentials_rejected'],
  ['a bad signature', 403, named('InvalidSignatureException'), Buffer.from('{"message":"no"}'), 502, 'upstream_credentials_rejected'],
  ['a signature of another kind', 400, named('IncompleteSignatureException'), Buffer.from('{}'), 502, 'upstream_credentials_rejected'],
  ['throttling', 429, named('ThrottlingException'), Buffer.from('{"message":"slow down"}'), 429, 'ThrottlingException'],
  ['no capacity', 503, named('ServiceUnavailableException'), Buffer.from('<html>'), 502, 'ServiceUnavailableException'],
])('a refusal for %s', (_what, status, headers, body, wanted, code) => {
  const refusal = converseDialect.readRefusal(status, headers, body);
  expect([refusal.status, refusal.code, refusal.body]).toEqual([wanted, code, null]);
});

test('an answer that the model could not write is an error, with what it used', () => {
  const usage = { inputTokens: 3, outputTokens: 2, totalTokens: 5 };
  const message = { role: 'assistant', content: [{ text: 'Hel' }] };
  const answer = { output: { message }, stopReason: 'malformed_tool_use', usage };
  const read = converseDialect.readAnswer(Buffer.from(JSON.stringify(answer)));
  expect([read?.refusal?.status, read?.refusal?.code, read?.facts.usage?.output]).toEqual([502, 'malformed_tool_use', 2]);

  const event = (type: string, payload: object): Buffer =>
    frameOf({ ':message-type': 'event', ':event-type': type, ':content-type': 'application/json' }, JSON.stringify(payload));
  const bytes = Buffer.concat([
    event('messageStart', { role: 'assistant' }),
    event('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hel' } }),
    event('messageStop', { stopReason: 'malformed_model_output' }),
    event('metadata', { usage }),
  ]);
  const { ended, failure, events, facts } = readStream(converseDialect, bytes);
  expect([ended, failure?.code, facts.usage?.input]).toEqual(['failed', 'malformed_model_output', 3]);
  expect(short(events)).toEqual(['started', 'text Hel', 'usage']);
});
