import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PLAIN_READING } from '../../../../../services/proxy/providers/openai/reading.ts';
import { ChatStreamReader } from '../../../../../services/proxy/providers/openai/stream.ts';
import type { AnswerFacts, ProviderRefusal } from '../../../../../services/proxy/providers/provider.ts';
import { chatRecording, chatRecordings } from '../../../../harness/provider-recordings.ts';
import { DONE, textEvent, usageEvent } from '../../../../harness/scripted-upstream.ts';

type Read = {
  readonly output: string;
  readonly ended: 'completed' | 'failed' | 'broken' | 'unfinished';
  readonly error: ProviderRefusal | null;
  readonly facts: AnswerFacts;
};

/** Feeds a stream in pieces that end at the given offsets, then ends it. */
function read(bytes: Buffer, cuts: readonly number[], expected: { usageAsked: boolean; choices?: number }): Read {
  const output: Buffer[] = [];
  let ended: Read['ended'] = 'unfinished';
  let error: ProviderRefusal | null = null;
  const reader = new ChatStreamReader(
    { usageAsked: expected.usageAsked, choices: expected.choices ?? 1 },
    {
      pass: (part) => {
        if (ended !== 'unfinished') throw new Error('bytes after the end');
        output.push(part);
      },
      completed: (part) => {
        ended = 'completed';
        output.push(part);
      },
      failed: (part, told) => {
        ended = 'failed';
        error = told;
        if (part !== null) output.push(part);
      },
      broken: () => {
        ended = 'broken';
      },
    },
    PLAIN_READING,
  );
  let from = 0;
  for (const cut of [...cuts].sort((left, right) => left - right)) {
    reader.push(bytes.subarray(from, cut));
    from = Math.max(from, cut);
  }
  reader.push(bytes.subarray(from));
  reader.end();
  return { output: Buffer.concat(output).toString('utf8'), ended, error, facts: reader.facts() };
}

const readText = (text: string, usageAsked = false): Read => read(Buffer.from(text), [], { usageAsked });
const streams = chatRecordings.filter((recording) => recording.events !== null && recording.status === 200);
const choicesOf = (request: Readonly<Record<string, unknown>>): number => (typeof request.n === 'number' ? request.n : 1);
/** The chunk that holds only usage: it has no choices. */
const isUsageOnly = (event: string): boolean => /"choices":\s?\[\]/.test(event) && /"usage":\s?\{/.test(event);

describe('a recorded stream', () => {
  test.each(streams.map((stream) => [stream.name, stream] as const))('%s passes unchanged but for unasked usage', (_name, stream) => {
    const events = stream.events ?? [];
    const choices = choicesOf(stream.request);
    const asked = read(stream.bytes, [], { usageAsked: true, choices });
    const quiet = read(stream.bytes, [], { usageAsked: false, choices });
    const failing = events.findIndex((event) => /"error":\s?\{/.test(event));
    const passed = failing < 0 ? events : events.slice(0, failing + 1);
    // Perplexity may leave out [DONE]; a stream whose choices are all finished gets it.
    const ending = failing >= 0 || events.some((event) => event.includes('[DONE]')) ? '' : DONE;
    expect(asked.output).toBe(passed.join('') + ending);
    expect(quiet.output).toBe(passed.filter((event) => !isUsageOnly(event)).join('') + ending);
    expect(asked.ended).toBe(failing < 0 ? 'completed' : 'failed');
  });

  test.each(streams.map((stream) => [stream.name, stream] as const))('%s reads the same wherever it is cut', (_name, stream) => {
    const choices = choicesOf(stream.request);
    const whole = read(stream.bytes, [], { usageAsked: false, choices });
    const cuts = fc.array(fc.integer({ min: 0, max: stream.bytes.length }), { maxLength: 40 });
    fc.assert(
      fc.property(cuts, (offsets) => {
        expect(read(stream.bytes, offsets, { usageAsked: false, choices })).toEqual(whole);
      }),
      { numRuns: 25 },
    );
    const everyByte = Array.from({ length: stream.bytes.length }, (_, index) => index);
    expect(read(stream.bytes, everyByte, { usageAsked: false, choices })).toEqual(whole);
  });

  test('without usage has none, which is not zero', () => {
    const { facts } = read(chatRecording('openai/chat.completions.stream.stream-no-usage').bytes, [], { usageAsked: false });
    expect(facts).toMatchObject({
      usage: null,
      rawUsage: null,
      usageFlags: ['usage_missing'],
      finishReason: 'stop',
      serviceTier: 'default',
    });
  });

  test('names the tier it was served in and the model that answered', () => {
    const { facts } = read(chatRecording('mistral/chat.completions.stream.tool-call').bytes, [], { usageAsked: false });
    expect(facts).toMatchObject({ serviceTier: 'standard', modelAnswered: 'mistral-small-latest' });
    expect(facts.rawUsage).toBe(
      '{"prompt_tokens":291,"total_tokens":318,"completion_tokens":27,"prompt_tokens_details":{"cached_tokens":192},"service_tier":"standard"}',
    );
  });
});

describe('the end of a stream', () => {
  test('gets a finish reason for a choice that has none, once, before the usage chunk', () => {
    const { output, ended, facts } = readText(textEvent('a') + usageEvent(1, 1) + DONE, true);
    const events = output.trimEnd().split('\n\n');
    expect(events).toHaveLength(4);
    expect(JSON.parse(events[1]?.slice(6) ?? '')).toMatchObject({
      id: 'chatcmpl-1',
      choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
    });
    expect([ended, facts.finishReason]).toEqual(['completed', 'stop']);
  });

  test('gets one for each choice that was seen, and none for those that were not', () => {
    const chunk = (index: number, finish: string | null): string =>
      `data: {"id":"x","choices":[{"index":${index},"delta":{},"finish_reason":${JSON.stringify(finish)}}]}\n\n`;
    const text = chunk(0, null) + chunk(1, null) + chunk(1, 'length') + DONE;
    const { output } = read(Buffer.from(text), [], { usageAsked: false, choices: 3 });
    expect(output).toBe(
      `${chunk(0, null)}${chunk(1, null)}${chunk(1, 'length')}data: {"id":"x","object":"chat.completion.chunk","created":0,"model":"","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}\n\n${DONE}`,
    );
  });

  test('finishes an open tool call as tool_calls', () => {
    const call = 'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}]}\n\n';
    expect(readText(call + DONE).facts.finishReason).toBe('tool_calls');
  });

  test('is not there when the stream stops before its finish reason', () => {
    expect(readText(textEvent('a')).ended).toBe('unfinished');
    expect(readText('').ended).toBe('unfinished');
  });

  test('is there when the last event lacks its empty line', () => {
    expect(readText(`${textEvent('a', 'stop')}data: [DONE]`)).toMatchObject({ ended: 'completed' });
    expect(readText(textEvent('a', 'stop').trimEnd()).ended).toBe('completed');
    expect(readText(`${textEvent('a', 'stop')}data:[DONE] \n\n`).ended).toBe('completed');
    expect(readText(`${textEvent('a', 'stop')}data: {"choi`)).toMatchObject({ ended: 'completed', output: textEvent('a', 'stop') + DONE });
  });

  test('lets nothing through after [DONE]', () => {
    expect(readText(textEvent('a', 'stop') + DONE + textEvent('b')).output).toBe(textEvent('a', 'stop') + DONE);
  });
});

describe('an event', () => {
  test('may speak of usage, errors and [DONE] in its text', () => {
    const text = textEvent('"usage":{"x":1} "error":{} "finish_reason":"stop"') + textEvent('data: [DONE]') + textEvent('error', 'stop');
    expect(readText(text + DONE)).toMatchObject({ output: text + DONE, ended: 'completed', error: null });
  });

  test('that is no JSON passes as it came', () => {
    const text = `${textEvent('a')}data: {"usage":{ broken\n\n${textEvent('b', 'stop')}`;
    expect(readText(text + DONE).output).toBe(text + DONE);
  });

  test('may come with CRLF, without the space after the colon, and in several data lines', () => {
    const text =
      'data:{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\r\n\r\n' +
      ': comment\r\n\r\ndata: {"choices":[],\r\ndata: "usage":{"prompt_tokens":1,"completion_tokens":2}}\r\n\r\n';
    const { facts, output } = readText(`${text}data: [DONE]\r\n\r\n`);
    expect(facts.usage).toMatchObject({ input: 1, output: 2 });
    expect(output).toBe(`${text.slice(0, text.indexOf('data: {"choices":[],'))}data: [DONE]\r\n\r\n`);
  });

  test('of unbounded size ends the stream', () => {
    expect(readText(textEvent('a') + 'x'.repeat(9 * 1024 * 1024))).toMatchObject({ ended: 'broken' });
  });
});
