import { expect, test } from 'vitest';
import { UNKNOWN_USAGE } from '../../../../../schema/values/token-usage.ts';
import type { AnswerEvent } from '../../../../../services/proxy/conversation/answer-event.ts';
import { generateContentDialect } from '../../../../../services/proxy/dialects/generate-content/generate-content-dialect.ts';

const stamp = { requestId: 'req_7', model: 'asked', createdSeconds: 1, usageAsked: true };
const request = { model: 'asked', method: 'generateContent' as const, isEventStream: false, body: { contents: [{}] } };
const finished: AnswerEvent = { kind: 'finished', choice: 0, reason: 'stop', stopSequence: null };

const whole = (...events: readonly AnswerEvent[]) => JSON.parse(generateContentDialect.writeAnswer(events, stamp, request, () => {}));
function chunks(...events: readonly AnswerEvent[]) {
  const writer = generateContentDialect.createStreamWriter(stamp, request, () => {});
  const text = events.map((event) => writer.write(event)).join('') + writer.end();
  return text
    .split('\r\n\r\n')
    .filter((event) => event !== '')
    .map((event) => JSON.parse(event.slice('data: '.length)));
}

test('usage is summed as Google does: what was cached is part of the prompt, thinking stands beside the answer', () => {
  const usage = { ...UNKNOWN_USAGE, input: 10, cacheRead: 5, cacheWrite5m: 3, inputAudio: 2, output: 7, reasoning: 4 };
  const expected = {
    promptTokenCount: 20,
    cachedContentTokenCount: 5,
    candidatesTokenCount: 7,
    thoughtsTokenCount: 4,
    totalTokenCount: 31,
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: 18 },
      { modality: 'AUDIO', tokenCount: 2 },
    ],
    serviceTier: 'standard',
  };
  const tier: AnswerEvent = { kind: 'service_tier', tier: 'default' };
  expect(whole(finished, tier, { kind: 'usage', usage })).toMatchObject({
    usageMetadata: expected,
    modelVersion: 'asked',
    responseId: '7',
  });
  expect(chunks(finished, tier, { kind: 'usage', usage }).at(-1).usageMetadata).toEqual(expected);
  expect(whole(finished, { kind: 'usage', usage: UNKNOWN_USAGE })).not.toHaveProperty('usageMetadata');
});

test.each<[reason: Extract<AnswerEvent, { kind: 'finished' }>['reason'], told: string]>([
  ['stop', 'STOP'],
  ['stop_sequence', 'STOP'],
  ['tool_calls', 'STOP'],
  ['length', 'MAX_TOKENS'],
  ['refused', 'SAFETY'],
  ['paused', 'OTHER'],
])('an end by %s is %s', (reason, told) => {
  const end: AnswerEvent = { kind: 'finished', choice: 0, reason, stopSequence: null };
  expect(whole(end).candidates[0].finishReason).toBe(told);
});

test('a refusal in words is text, and an end for safety', () => {
  const [candidate] = whole({ kind: 'refusal', choice: 0, text: 'No.' }, finished).candidates;
  expect([candidate.content.parts, candidate.finishReason]).toEqual([[{ text: 'No.' }], 'SAFETY']);
});

test('what is cited stands under its passage, counted in bytes, with or without an address', () => {
  const said: AnswerEvent = { kind: 'text', choice: 0, text: 'né là.' };
  const page: AnswerEvent = {
    kind: 'citation',
    choice: 0,
    citation: { title: 'A', url: 'https://a.b', quoted: null, start: 3, end: 5 },
  };
  const given: AnswerEvent = { kind: 'citation', choice: 0, citation: { title: 'B', url: null, quoted: 'q', start: null, end: null } };
  const metadata = {
    groundingChunks: [{ web: { uri: 'https://a.b', title: 'A' } }, { retrievedContext: { title: 'B', text: 'q' } }],
    groundingSupports: [
      { segment: { startIndex: 4, endIndex: 7, text: 'là' }, groundingChunkIndices: [0] },
      { segment: {}, groundingChunkIndices: [1] },
    ],
  };
  expect(whole(said, page, given, finished).candidates[0].groundingMetadata).toEqual(metadata);
  expect(chunks(said, page, given, finished).at(-1).candidates[0].groundingMetadata).toEqual(metadata);
});

test('probabilities of tokens are told with their alternatives', () => {
  const alternatives = [{ token: 'ho', logprob: -2, bytes: null }];
  const tokens: AnswerEvent = { kind: 'logprobs', choice: 0, tokens: [{ token: 'hi', logprob: -0.5, bytes: null, alternatives }] };
  const result = {
    chosenCandidates: [{ token: 'hi', logProbability: -0.5 }],
    topCandidates: [{ candidates: [{ token: 'ho', logProbability: -2 }] }],
  };
  expect(whole(tokens, finished).candidates[0].logprobsResult).toEqual(result);
  expect(chunks(tokens, finished)[0].candidates[0].logprobsResult).toEqual(result);
});

test('arguments keep their digits, and those that are no object are a text in one', () => {
  const call: AnswerEvent = { kind: 'tool_call', choice: 0, call: 0, callId: 'c', name: 'look', signature: null };
  const written = (json: string) =>
    generateContentDialect.writeAnswer([call, { kind: 'tool_input', choice: 0, call: 0, json }, finished], stamp, request, () => {});
  expect(written('{"n":12345678901234567890}')).toContain('"functionCall":{"id":"c","name":"look","args":{"n":12345678901234567890}}');
  expect(written('{"n":')).toContain('"args":{"arguments":"{\\"n\\":"}');
});

test('a stream says nothing before the model does, and ends in one chunk with the ends of all candidates', () => {
  const writer = generateContentDialect.createStreamWriter(stamp, request, () => {});
  const usage = { ...UNKNOWN_USAGE, input: 3 };
  expect(writer.write({ kind: 'started', id: 'x', model: 'm', usage })).toBe('');
  expect(writer.write({ kind: 'text', choice: 1, text: 'b' })).not.toBe('');
  expect(writer.write({ kind: 'text', choice: 0, text: 'a' })).not.toBe('');
  expect(writer.write(finished) + writer.write({ ...finished, choice: 1, reason: 'length' })).toBe('');
  const end = JSON.parse(writer.end().trim().slice('data: '.length));
  expect(end.candidates).toEqual([
    { content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'STOP', index: 0 },
    { content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'MAX_TOKENS', index: 1 },
  ]);
  expect(end.usageMetadata).toEqual({ promptTokenCount: 3, totalTokenCount: 3 });
});

test('what the model drew is a part with its bytes', () => {
  const image: AnswerEvent = { kind: 'image', choice: 0, mediaType: 'image/png', data: 'AAAA' };
  const part = { inlineData: { mimeType: 'image/png', data: 'AAAA' } };
  expect(whole({ kind: 'text', choice: 0, text: 'Here:' }, image, finished).candidates[0].content.parts).toEqual([{ text: 'Here:' }, part]);
  expect(chunks(image, finished)[0].candidates[0].content.parts).toEqual([part]);
});
