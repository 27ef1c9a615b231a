import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anthropicDialect } from '../../../../../services/proxy/providers/anthropic/anthropic-dialect.ts';
import { joined, readStream } from '../../../../harness/conversations.ts';
import { recordingsFrom } from '../../../../harness/provider-recordings.ts';

const streams = recordingsFrom('anthropic').filter(({ events }) => events !== null);
const sse = (...events: readonly object[]): Buffer => Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
const start = { type: 'message_start', message: { id: 'msg_1', model: 'claude', usage: { input_tokens: 3, output_tokens: 1 } } };
const delta = (fields: object): object => ({ type: 'message_delta', delta: fields, usage: { output_tokens: 9 } });
const stop = { type: 'message_stop' };

test('a recorded stream tells the same wherever the network cuts it', () => {
  for (const { bytes } of streams) {
    const whole = readStream(anthropicDialect, bytes);
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 20 }), (cuts) => {
        const cut = readStream(anthropicDialect, bytes, cuts);
        expect(cut.ended).toBe(whole.ended);
        expect(joined(cut.events)).toEqual(joined(whole.events));
        expect(cut.facts).toEqual(whole.facts);
      }),
      { numRuns: 5 },
    );
  }
});

describe('a stream', () => {
  test('has calls by their number, with the pieces of their arguments; of tools on the other side it tells nothing', () => {
    const { events } = readStream(
      anthropicDialect,
      sse(
        start,
        { type: 'content_block_start', index: 0, content_block: { type: 'server_tool_use', id: 'srv', name: 'web_search', input: {} } },
        { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"query":1}' } },
        { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'one', name: 'first', input: {} } },
        { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '' } },
        { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"a":' } },
        { type: 'content_block_start', index: 2, content_block: { type: 'tool_use', id: 'two', name: 'second', input: {} } },
        { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '1.0}' } },
        delta({ stop_reason: 'tool_use' }),
        stop,
      ),
    );
    expect(joined(events).filter(({ kind }) => kind === 'tool_call' || kind === 'tool_input')).toEqual([
      { kind: 'tool_call', choice: 0, call: 0, callId: 'one', name: 'first', signature: null },
      { kind: 'tool_input', choice: 0, call: 0, json: '{"a":' },
      { kind: 'tool_call', choice: 0, call: 1, callId: 'two', name: 'second', signature: null },
      { kind: 'tool_input', choice: 0, call: 0, json: '1.0}' },
    ]);
  });

  test('gives thinking back with what proves it, and what is hidden', () => {
    const { events } = readStream(
      anthropicDialect,
      sse(
        start,
        { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'sig' } },
        { type: 'content_block_start', index: 1, content_block: { type: 'redacted_thinking', data: 'hidden' } },
        delta({ stop_reason: 'pause_turn' }),
        stop,
      ),
    );
    expect(events.slice(1, 5)).toEqual([
      { kind: 'thinking', choice: 0, text: 'hm' },
      { kind: 'thinking_signature', choice: 0, signature: 'sig' },
      { kind: 'redacted_thinking', choice: 0, data: 'hidden' },
      { kind: 'finished', choice: 0, reason: 'paused', stopSequence: null },
    ]);
  });

  test('is whole once it said why it ended, and else is not', () => {
    expect(readStream(anthropicDialect, sse(start, delta({ stop_reason: 'end_turn' }))).ended).toBe('completed');
    expect(readStream(anthropicDialect, sse(start, stop)).events.at(-2)).toMatchObject({ kind: 'finished', reason: 'stop' });
    expect(readStream(anthropicDialect, sse(start)).ended).toBe('unfinished');
  });

  test('passes over events that nobody knows yet, and is broken by what is none', () => {
    expect(
      readStream(anthropicDialect, sse(start, { type: 'invented' }, { type: 'ping' }, delta({ stop_reason: 'new' }), stop)).ended,
    ).toBe('completed');
    expect(readStream(anthropicDialect, Buffer.from('data: {"type"\n\n')).ended).toBe('broken');
  });

  test('that fails says so, and nothing after it counts', () => {
    const failing = sse(
      start,
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
      delta({ stop_reason: 'end_turn' }),
      stop,
    );
    expect(readStream(anthropicDialect, failing)).toMatchObject({ ended: 'failed', failure: { code: 'overloaded_error' } });
  });
});

test('a whole answer keeps the digits of what a tool is called with', () => {
  const answer = anthropicDialect.readAnswer(
    Buffer.from(
      '{"type":"message","content":[{"type":"tool_use","id":"t","name":"n","input":{"id":12345678901234567890,"f":1.0}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":2}}',
    ),
  );
  expect(answer?.events).toContainEqual({ kind: 'tool_input', choice: 0, call: 0, json: '{"id":12345678901234567890,"f":1.0}' });
  expect(anthropicDialect.readAnswer(Buffer.from('{"input_tokens":3}'))).toBeNull();
  expect(anthropicDialect.readAnswer(Buffer.from('<html>'))).toBeNull();
});
