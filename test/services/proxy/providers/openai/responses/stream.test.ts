import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PLAIN_READING } from '../../../../../../services/proxy/providers/openai/reading.ts';
import { ResponseStreamReader } from '../../../../../../services/proxy/providers/openai/responses/stream.ts';
import type { ProviderRefusal } from '../../../../../../services/proxy/providers/provider.ts';
import { responsesRecordings } from '../../../../../harness/provider-recordings.ts';

/** What a reader tells of a stream that comes in those chunks. */
function read(chunks: readonly Buffer[]) {
  const passed: Buffer[] = [];
  const told = { ended: false, complete: false, broken: false, event: null as string | null, refusal: null as ProviderRefusal | null };
  const reader = new ResponseStreamReader(
    {
      pass: (bytes) => passed.push(bytes),
      completed: (ending) => {
        passed.push(ending);
        told.complete = true;
      },
      failed: (event, refusal) => {
        told.event = event?.toString('utf8') ?? null;
        told.refusal = refusal;
      },
      broken: () => {
        told.broken = true;
      },
    },
    PLAIN_READING,
  );
  for (const chunk of chunks) reader.push(chunk);
  told.ended = reader.end();
  return { ...told, passed: Buffer.concat(passed).toString('utf8'), facts: reader.facts() };
}

const event = (type: string, fields: object = {}): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const created = event('response.created', { response: { id: 'resp_1', status: 'in_progress', error: null } });
const delta = event('response.output_text.delta', { delta: 'an "error" of "response.completed"' });
const error = event('error', { error: { type: 'server_error', code: 'server_error', message: 'broken' } });
const failed = event('response.failed', {
  response: { status: 'failed', error: { code: 'rate_limit_exceeded', message: 'slower' }, usage: { input_tokens: 3, output_tokens: 1 } },
});
const completed = event('response.completed', {
  response: { status: 'completed', output: [], usage: { input_tokens: 3, output_tokens: 1 } },
});
const one = (text: string) => read([Buffer.from(text)]);

test('whatever a recorded stream is cut into, the same bytes pass and the same is understood', () => {
  for (const { bytes } of responsesRecordings.filter(({ events }) => events !== null)) {
    const whole = read([bytes]);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
        const places = [0, ...cuts.sort((left, right) => left - right), bytes.length];
        expect(read(places.slice(1).map((place, index) => bytes.subarray(places[index], place)))).toEqual(whole);
      }),
      { numRuns: 20 },
    );
    expect(whole.passed).toBe(whole.complete ? bytes.toString('utf8') : '');
  }
});

describe('a stream', () => {
  test('is complete with its last event, after which nothing passes', () => {
    const told = one(`${created}${delta}${completed}data: [DONE]\n\n`);
    expect([told.complete, told.passed, told.facts.finishReason]).toEqual([true, created + delta + completed, 'stop']);
    expect(told.facts.usage).toMatchObject({ input: 3, output: 1 });
  });

  test('that ends without it is not complete', () => {
    const told = one(created + delta);
    expect([told.ended, told.complete, told.passed]).toEqual([false, false, created + delta]);
    expect(one(created + delta + completed.slice(0, -40)).complete).toBe(false);
  });

  test('is complete also where its last event lacks the empty line', () => {
    expect(one(created + delta + completed.trimEnd()).complete).toBe(true);
  });

  test('has not begun while only its request was taken: an error is then no part of it', () => {
    const told = one(created + event('response.in_progress') + failed);
    expect([told.passed, told.refusal?.status, told.refusal?.code]).toEqual(['', 429, 'rate_limit_exceeded']);
    expect(told.facts.usage).toMatchObject({ input: 3, output: 1 });
  });

  test('passes an error with the failure that follows it', () => {
    const told = one(created + delta + error + failed);
    expect([told.passed, told.event, told.refusal?.code]).toEqual([created + delta, error + failed, 'server_error']);
  });

  test('that ends with an error has failed', () => {
    const told = one(created + delta + error);
    expect([told.ended, told.event, told.refusal?.message]).toEqual([true, error, 'broken']);
  });

  test('does not wait for ever for something to be said', () => {
    expect(one(created.repeat(40)).passed).toBe(created.repeat(40));
  });
});
