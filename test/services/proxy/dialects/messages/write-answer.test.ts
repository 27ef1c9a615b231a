import { expect, test } from 'vitest';
import type { MessagesRequest } from '../../../../../schema/http/messages.ts';
import { UNKNOWN_USAGE } from '../../../../../schema/values/token-usage.ts';
import type { AnswerEvent } from '../../../../../services/proxy/conversation/answer-event.ts';
import { messagesDialect } from '../../../../../services/proxy/dialects/messages/messages-dialect.ts';
import { geminiDialect } from '../../../../../services/proxy/providers/gemini/gemini-dialect.ts';
import { testTarget } from '../../../../harness/conversations.ts';

const stamp = { requestId: 'req_7', model: 'openai/gpt', createdSeconds: 1, usageAsked: true };
const request: MessagesRequest = { model: 'm', messages: [{}] };
const started: AnswerEvent = { kind: 'started', id: 'chatcmpl-1', model: 'gpt', usage: null };
const finished = (reason: Extract<AnswerEvent, { kind: 'finished' }>['reason']): AnswerEvent => ({
  kind: 'finished',
  choice: 0,
  reason,
  stopSequence: null,
});
const text = (said: string): AnswerEvent => ({ kind: 'text', choice: 0, text: said });

const whole = (...events: AnswerEvent[]) => JSON.parse(messagesDialect.writeAnswer([started, ...events], stamp, request, () => {}));

/** The events of a stream, as name and data. */
function stream(...events: AnswerEvent[]): { readonly type: string; readonly [member: string]: unknown }[] {
  const writer = messagesDialect.createStreamWriter(stamp, request, () => {});
  const written = [started, ...events].map((event) => writer.write(event)).join('') + writer.end();
  return written
    .trimEnd()
    .split('\n\n')
    .map((event) => {
      const [, name, data = ''] = /^event: (\w+)\ndata: (.*)$/s.exec(event) ?? [];
      expect(JSON.parse(data).type).toBe(name);
      return JSON.parse(data);
    });
}

test('a message has an id of its request, the model that was asked, and usage by its classes', () => {
  const usage = { ...UNKNOWN_USAGE, input: 10, inputImage: 5, cacheRead: 7, cacheWrite5m: 2, cacheWrite1h: 1, output: 20, reasoning: 4 };
  expect(whole(text('hi'), finished('stop'), { kind: 'usage', usage }, { kind: 'service_tier', tier: 'default' })).toEqual({
    id: 'msg_7',
    type: 'message',
    role: 'assistant',
    model: 'openai/gpt',
    content: [{ type: 'text', text: 'hi', citations: null }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    stop_details: null,
    usage: {
      input_tokens: 15,
      cache_creation_input_tokens: 3,
      cache_read_input_tokens: 7,
      cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 1 },
      output_tokens: 24,
      output_tokens_details: { thinking_tokens: 4 },
      service_tier: 'standard',
    },
  });
});

test('usage that nobody knows is null, and never 0', () => {
  expect(whole(finished('stop')).usage).toEqual({ input_tokens: null, output_tokens: null });
  const events = stream(text('hi'), finished('stop'));
  expect(events[0]).toMatchObject({ message: { usage: { input_tokens: null, output_tokens: null } } });
  expect(events.at(-2)).toMatchObject({ type: 'message_delta', usage: { input_tokens: null, output_tokens: null } });
});

test('a stream begins and ends its blocks one after the other, and tells reason and usage together', () => {
  const events = stream(
    { kind: 'thinking', choice: 0, text: 'hm' },
    text('a'),
    text('b'),
    { kind: 'tool_call', choice: 0, call: 0, callId: 'call_1', name: 'look', signature: null },
    { kind: 'tool_input', choice: 0, call: 0, json: '{}' },
    finished('tool_calls'),
    { kind: 'usage', usage: { ...UNKNOWN_USAGE, input: 1, output: 2 } },
  );
  expect(events.map(({ type, index }) => (index === undefined ? type : `${type} ${index}`))).toEqual([
    'message_start',
    'content_block_start 0',
    'content_block_delta 0',
    'content_block_stop 0',
    'content_block_start 1',
    'content_block_delta 1',
    'content_block_delta 1',
    'content_block_stop 1',
    'content_block_start 2',
    'content_block_delta 2',
    'content_block_stop 2',
    'message_delta',
    'message_stop',
  ]);
  expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'tool_use' }, usage: { input_tokens: 1, output_tokens: 2 } });
});

test('a piece of a call that another has followed is told by its number', () => {
  const events = stream(
    { kind: 'tool_call', choice: 0, call: 0, callId: 'a', name: 'one', signature: null },
    { kind: 'tool_call', choice: 0, call: 1, callId: 'b', name: 'two', signature: null },
    { kind: 'tool_input', choice: 0, call: 0, json: '{"late":true}' },
    finished('tool_calls'),
  );
  expect(events.find(({ type }) => type === 'content_block_delta')).toMatchObject({ index: 0, delta: { partial_json: '{"late":true}' } });
});

test('words of a refusal are read, and end as one', () => {
  const refused = [{ kind: 'refusal' as const, choice: 0, text: 'No.' }, finished('stop')];
  expect(whole(...refused)).toMatchObject({
    content: [{ text: 'No.' }],
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', category: null, explanation: 'No.' },
  });
  expect(stream(...refused).at(-2)).toMatchObject({ delta: { stop_reason: 'refusal' } });
  expect(whole(finished('refused'))).toMatchObject({ content: [], stop_reason: 'refusal' });
});

test('what a text rests on stays with it', () => {
  const citation = { title: 'T', url: 'https://a.test', quoted: 'q', start: 0, end: 2 };
  const cited = [text('hi'), { kind: 'citation' as const, choice: 0, citation }, finished('stop')];
  const expected = { type: 'web_search_result_location', url: 'https://a.test', title: 'T', cited_text: 'q', encrypted_index: '' };
  expect(whole(...cited).content).toEqual([{ type: 'text', text: 'hi', citations: [expected] }]);
  expect(stream(...cited)).toContainEqual(expect.objectContaining({ delta: { type: 'citations_delta', citation: expected } }));
});

test('arguments keep their digits; what is no object is kept as a text', () => {
  const call = (json: string): AnswerEvent[] => [
    { kind: 'tool_call', choice: 0, call: 0, callId: 'a', name: 'look', signature: null },
    { kind: 'tool_input', choice: 0, call: 0, json },
    finished('tool_calls'),
  ];
  expect(messagesDialect.writeAnswer([started, ...call('{"id":12345678901234567890}')], stamp, request, () => {})).toContain(
    '"input":{"id":12345678901234567890}',
  );
  expect(whole(...call('{"cut'))).toMatchObject({ content: [{ input: { arguments: '{"cut' } }] });
});

test('what proves a call signs the thinking before it, or stands alone, and is handed back with it', () => {
  const thought: AnswerEvent = { kind: 'thinking', choice: 0, text: 'well' };
  const call: AnswerEvent = { kind: 'tool_call', choice: 0, call: 0, callId: 'c', name: 'f', signature: 'c2ln' };
  const use = { type: 'tool_use', id: 'c', name: 'f', input: {} };
  const [thinking, alone] = ['well', ''].map((said) => ({ type: 'thinking', thinking: said, signature: 'c2ln' }));
  expect(whole(thought, call, finished('tool_calls')).content).toEqual([thinking, use]);
  expect(whole(call, finished('tool_calls')).content).toEqual([alone, use]);
  const deltas = stream(thought, call, finished('tool_calls')).filter(({ type }) => type === 'content_block_delta');
  expect(deltas.map(({ index, delta }) => [index, delta])).toEqual([
    [0, { type: 'thinking_delta', thinking: 'well' }],
    [0, { type: 'signature_delta', signature: 'c2ln' }],
  ]);
  const handedBack: MessagesRequest = { model: 'm', messages: [{ role: 'assistant', content: [thinking, use] }] };
  const read = messagesDialect.readRequest(handedBack, () => {}, Buffer.from(JSON.stringify(handedBack)));
  expect(geminiDialect.writeRequest(read, testTarget('gemini-3-pro'), () => {}).body).toContain(
    '{"functionCall":{"id":"c","name":"f","args":{}},"thoughtSignature":"c2ln"}',
  );
});
