import { describe, expect, test } from 'vitest';
import type { AnswerEvent } from '../../../../../services/proxy/conversation/answer-event.ts';
import { geminiDialect } from '../../../../../services/proxy/providers/gemini/gemini-dialect.ts';
import type { AnswerFacts } from '../../../../../services/proxy/providers/provider.ts';
import type { ReadStream } from '../../../../harness/conversations.ts';
import { joined, readStream } from '../../../../harness/conversations.ts';
import { providerRecording } from '../../../../harness/provider-recordings.ts';
import { seededRandom } from '../../../../harness/seeded-random.ts';

type Read = Pick<ReadStream, 'events' | 'ended' | 'failure'> & { readonly facts: AnswerFacts | undefined };

function readRecording(name: string): Read {
  const { bytes, events } = providerRecording(name);
  if (events !== null) return readStream(geminiDialect, bytes, [100, 200, 300]);
  const answer = geminiDialect.readAnswer(bytes);
  return { events: answer?.events ?? [], ended: 'completed', failure: answer?.refusal ?? null, facts: answer?.facts };
}

/** What a stream of these chunks says. */
function readChunks(...chunks: readonly object[]): Read {
  return readStream(geminiDialect, Buffer.from(chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join(''), 'utf8'));
}

const STREAMS = [
  'gemini/streamgeneratecontent.stream.image-in_reasoning-tokens.gemini-2.5-pro',
  'gemini/streamgeneratecontent.stream.parallel-tools_reasoning-tokens.gemini-2.5-pro',
  'gemini/streamgeneratecontent.stream.text.gemini-2.0-flash-exp',
  'vertex/streamgeneratecontent.stream.parallel-tools_reasoning-tokens.gemini-2.5-flash',
  'vertex/streamgeneratecontent.stream.service-tier_reasoning-tokens.gemini-3-flash-preview',
  'vertex/streamgeneratecontent.stream.streamed-function-call-arguments.gemini-3.1-pro',
  'vertex/streamgeneratecontent.stream.structured_reasoning-tokens.gemini-2.5-pro',
];

test.each(STREAMS)('%s says the same wherever it is cut', (name) => {
  const { bytes } = providerRecording(name);
  const whole = readStream(geminiDialect, bytes);
  expect(whole.ended).toBe('completed');
  const { below } = seededRandom(bytes.length);
  for (let round = 0; round < 5; round += 1) {
    const cuts = Array.from({ length: 100 }, () => below(bytes.length));
    expect(readStream(geminiDialect, bytes, cuts)).toEqual(whole);
  }
});

describe('an answer of Gemini', () => {
  const calls = (events: readonly AnswerEvent[]): string[] =>
    events.flatMap((event) => {
      if (event.kind === 'tool_call') return [`${event.callId} ${event.name}`];
      return event.kind === 'tool_input' ? [event.json] : [];
    });
  const finish = (events: readonly AnswerEvent[]) => events.flatMap((event) => (event.kind === 'finished' ? [event.reason] : []));

  test('that stops with calls ends with tool_calls, each with an id', () => {
    const { events } = readRecording('vertex/generatecontent.sync.parallel-tools');
    const id = (n: number): string => `call_5L-FapjqCteFtfAPrI3z6A0_0_${n} dice_roll`;
    expect(calls(events)).toEqual([id(0), id(1), id(2)]);
    expect(finish(events)).toEqual(['tool_calls']);
  });

  test('keeps the ids and the signature of calls that have them', () => {
    const { events } = readRecording('gemini/generatecontent.sync.tool-call_reasoning');
    expect(events.map(({ kind }) => kind).slice(1, 5)).toEqual(['thinking', 'thinking_signature', 'tool_call', 'tool_input']);
    expect(events[3]).toMatchObject({ callId: 'call_883098', signature: expect.stringMatching(/^ErkECrYE/) });
  });

  test('whose arguments come in pieces has them as JSON', () => {
    const { events } = readRecording('vertex/streamgeneratecontent.stream.streamed-function');
    expect(calls(joined(events))).toEqual([
      expect.stringMatching(/_0_0 getWeather$/),
      '{"location":"Boston"}',
      expect.stringMatching(/_0_1 getWeather$/),
      '{"location":"San Francisco"}',
    ]);
  });

  test('that thought up to its limit has no text and ends with length', () => {
    const { events, facts } = readRecording('gemini/generatecontent.sync.stop-length');
    expect(finish(events)).toEqual(['length']);
    expect(facts?.usage).toMatchObject({ input: 15, output: 0, reasoning: 2 });
  });

  test('that was blocked is refused, and says nothing', () => {
    const { events } = readRecording('vertex/generatecontent.sync.filtered');
    expect(events.map(({ kind }) => kind)).toEqual(['started', 'finished', 'service_tier']);
    expect(finish(events)).toEqual(['refused']);
  });

  test('that came as a list of chunks is one answer', () => {
    const { events, facts } = readRecording('gemini/streamgeneratecontent.stream.reasoning_structured');
    const said = events.flatMap((event) => (event.kind === 'text' ? [event.text] : []));
    expect(said).toEqual(['{"name":"Bob","employer":{"company_name":"TechCorp"}}']);
    expect(facts?.usage).toMatchObject({ input: 11, output: 14, reasoning: 381 });
  });

  test('names its sources by characters, where Google counts bytes', () => {
    const text = 'Zürich ist größer. Bern ist kleiner.';
    const grounded = {
      candidates: [
        {
          content: { parts: [{ text }] },
          finishReason: 'STOP',
          groundingMetadata: {
            groundingChunks: [{ web: { uri: 'https://a.example', title: 'a' } }],
            groundingSupports: [{ segment: { startIndex: 22, endIndex: 39, text: 'Bern ist kleiner.' }, groundingChunkIndices: [0] }],
          },
        },
      ],
    };
    const citation = readChunks(grounded).events.find(({ kind }) => kind === 'citation');
    expect(citation).toMatchObject({ citation: { title: 'a', url: 'https://a.example', start: 19, end: 36 } });
  });

  test('has the digits of arguments as they came', () => {
    const body =
      '{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"id":12345678901234567890,"rate":1.50}}}]},"finishReason":"STOP"}]}';
    expect(calls([...(geminiDialect.readAnswer(Buffer.from(body))?.events ?? [])])[1]).toBe('{"id":12345678901234567890,"rate":1.50}');
  });

  test('tells the logprobs of each token, and its alternatives', () => {
    const token = (text: string, logProbability: number) => ({ token: text, tokenId: 1, logProbability });
    const logprobsResult = { chosenCandidates: [token('Hi', -0.1)], topCandidates: [{ candidates: [token('Hi', -0.1), token('Yo', -2)] }] };
    const { events } = readChunks({ candidates: [{ content: { parts: [{ text: 'Hi' }] }, finishReason: 'STOP', logprobsResult }] });
    const logprob = (text: string, value: number) => ({ token: text, logprob: value, bytes: null });
    expect(events).toContainEqual({
      kind: 'logprobs',
      choice: 0,
      tokens: [{ ...logprob('Hi', -0.1), alternatives: [logprob('Hi', -0.1), logprob('Yo', -2)] }],
    });
  });

  test('that ends before each choice has ended is not whole', () => {
    const open = {
      candidates: [{ content: { parts: [{ text: 'Hi' }] } }, { index: 1, content: { parts: [{ text: 'Ho' }] }, finishReason: 'STOP' }],
    };
    expect(readChunks(open).ended).toBe('unfinished');
    expect(readChunks(open, { candidates: [{ finishReason: 'STOP' }] }).ended).toBe('completed');
  });

  test('by which the model says that it failed is an error, and so is one that is an error', () => {
    const failed = readChunks({
      candidates: [{ finishReason: 'MALFORMED_FUNCTION_CALL' }],
      usageMetadata: { promptTokenCount: 7, totalTokenCount: 7 },
    });
    expect([failed.failure?.code, failed.facts?.usage?.input]).toEqual(['MALFORMED_FUNCTION_CALL', 7]);
    expect(readChunks({ error: { code: 503, message: 'busy', status: 'UNAVAILABLE' } }).failure?.code).toBe('UNAVAILABLE');
  });
});

// providers.md 2.1 and 2.2; the numbers are the recordings' own.
test.each<[trap: string, recording: string, usage: object, flags: string[]]>([
  [
    'counts are of all so far: the last of a stream counts',
    'gemini/streamgeneratecontent.stream.image',
    { input: 14, inputImage: 258, output: 200, reasoning: 1114 },
    [],
  ],
  ['the count of the prompt falls at the end', 'gemini/streamgeneratecontent.stream.text', { input: 13, output: 8, reasoning: null }, []],
  ['thoughts lie outside the candidates', 'gemini/generatecontent.sync.parallel', { input: 299, output: 32, reasoning: 495 }, []],
  [
    'what tools brought in is an addend of the input',
    'gemini/generatecontent.sync.code-exec',
    { input: 234, output: 122, reasoning: 87 },
    [],
  ],
  ['cached tokens lie inside the prompt', 'gemini/generatecontent.sync.tool-result-in', { input: 115, cacheRead: 230, output: 37 }, []],
  [
    'sounds lie inside the prompt, video counts as text',
    'gemini/generatecontent.sync.video',
    { input: 3110, inputAudio: 1500, output: 101 },
    [],
  ],
  ['a blocked prompt reports nothing: unknown, not 0', 'vertex/generatecontent.sync.filtered', {}, ['usage_missing']],
])('usage: %s', (_trap, recording, usage, flags) => {
  const { facts } = readRecording(recording);
  if (Object.keys(usage).length === 0) expect(facts?.usage).toBeNull();
  else expect(facts?.usage).toMatchObject(usage);
  expect(facts?.usageFlags).toEqual(flags);
});

test.each<[recording: string, tier: string | null]>([
  ['gemini/generatecontent.sync.code-exec', 'standard'],
  ['vertex/generatecontent.sync.service-tier', 'ON_DEMAND_FLEX'],
  ['gemini/generatecontent.sync.text', null],
])('the tier of %s is %s', (recording, tier) => {
  expect(readRecording(recording).facts?.serviceTier).toBe(tier);
});

test('cached sounds and pictures count as cached alone', () => {
  const usageMetadata = {
    promptTokenCount: 100,
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: 10 },
      { modality: 'AUDIO', tokenCount: 90 },
    ],
    cachedContentTokenCount: 60,
    cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 60 }],
    candidatesTokenCount: 5,
    totalTokenCount: 105,
  };
  const { facts } = readChunks({ candidates: [{ finishReason: 'STOP' }], usageMetadata });
  expect(facts?.usage).toMatchObject({ input: 10, cacheRead: 60, inputAudio: 30, output: 5 });
  expect(facts?.usageFlags).toEqual([]);
});

describe('what a model drew, and what Google ran', () => {
  const parts = [
    { executableCode: { language: 'PYTHON', code: '1' } },
    { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
    { inlineData: { mimeType: 'image/png', data: 'dGhpbms=' }, thought: true },
    { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
    { inlineData: { mimeType: 'audio/L16', data: 'AAAA' } },
  ];
  const chunk = { candidates: [{ content: { parts }, finishReason: 'STOP' }] };
  const images = (events: readonly AnswerEvent[]) => events.filter(({ kind }) => kind === 'image');
  const told = ['executableCode', 'codeExecutionResult', 'inlineData'];

  test('is a picture, whole and in a stream; what no event can tell is named', () => {
    const picture = { kind: 'image', choice: 0, mediaType: 'image/png', data: 'AAAA' };
    const whole = geminiDialect.readAnswer(Buffer.from(JSON.stringify(chunk)));
    expect([images(whole?.events ?? []), whole?.notCarried]).toEqual([[picture], told]);
    const streamed = readStream(geminiDialect, Buffer.from(`data: ${JSON.stringify(chunk)}\r\n\r\n`), [50, 100]);
    expect([images(streamed.events), streamed.notCarried]).toEqual([[picture], told]);
  });
});
