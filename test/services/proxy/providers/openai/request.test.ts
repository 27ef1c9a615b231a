import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OutputLimitField } from '../../../../../schema/values/output-cap.ts';
import { prepareChatBody } from '../../../../../services/proxy/providers/openai/request.ts';

const prepare = (text: string, model = 'up', field: OutputLimitField | null = null): string => {
  const request = JSON.parse(text);
  const outputLimit = field === null ? null : { field, tokens: 64 };
  return prepareChatBody(Buffer.from(text), request, { model, outputLimit, asksUsage: true }).toString('utf8');
};

test('only the model changes; digits, order, spaces and unknown fields stay', () => {
  expect(prepare('{ "seed" : 12345678901234567890, "model":"a/b" ,"x":1.50}')).toBe(
    '{ "seed" : 12345678901234567890, "model":"up" ,"x":1.50}',
  );
});

test('nothing changes when the provider calls the model the same', () => {
  const bytes = Buffer.from('{"model":"up","messages":[]}');
  expect(prepareChatBody(bytes, JSON.parse(bytes.toString()), { model: 'up', outputLimit: null, asksUsage: true })).toBe(bytes);
});

test('every spelling of the model is replaced, so that it does not matter which one counts', () => {
  expect(prepare('{"model":"x","mod\\u0065l":"a/b"}')).toBe('{"model":"up","mod\\u0065l":"up"}');
});

test.each([
  ['{"mod\\u0065l":"a/b","x":{"model":"a/b"}}', '{"mod\\u0065l":"up","x":{"model":"a/b"}}'],
  ['{"x":{"model":"a/b"},"model":"a/b"}', '{"x":{"model":"a/b"},"model":"up"}'],
  ['{"x":"\\"model\\"","y":"model","model":"a/b"}', '{"x":"\\"model\\"","y":"model","model":"up"}'],
  ['{"x":"\\"model\\":1", "model" : "a/b" }', '{"x":"\\"model\\":1", "model" : "up" }'],
])('only the model of the request itself is replaced: %s', (given, expected) => {
  expect(prepare(given)).toBe(expected);
});

test.each([
  ['{"model":"up","stream":true}', '{"stream_options":{"include_usage":true},"model":"up","stream":true}'],
  ['{"model":"up","stream":true,"stream_options":null}', '{"model":"up","stream":true,"stream_options":{"include_usage":true}}'],
  ['{"model":"up","stream":true,"stream_options":{}}', '{"model":"up","stream":true,"stream_options":{"include_usage":true}}'],
  ['{"model":"up","stream":true,"stream_options":{"a":1}}', '{"model":"up","stream":true,"stream_options":{"include_usage":true,"a":1}}'],
  [
    '{"model":"up","stream":true,"stream_options":{"include_usage":false,"a":1}}',
    '{"model":"up","stream":true,"stream_options":{"include_usage":true,"a":1}}',
  ],
  [
    '{"model":"up","stream":true,"stream_options":{"include_usage":true}}',
    '{"model":"up","stream":true,"stream_options":{"include_usage":true}}',
  ],
  ['{"model":"up","stream":false,"stream_options":null}', '{"model":"up","stream":false,"stream_options":null}'],
])('usage is asked for in a stream: %s', (given, expected) => {
  expect(prepare(given)).toBe(expected);
});

test.each([
  ['{ "seed" : 12345678901234567890, "model":"a/b"}', '{"max_tokens":64, "seed" : 12345678901234567890, "model":"up"}'],
  ['{"model":"up","max_tokens":null}', '{"model":"up","max_tokens":64}'],
  ['{"model":"up","max_tokens":null,"max_\\u0074okens": null}', '{"model":"up","max_tokens":64,"max_\\u0074okens": 64}'],
  ['{"model":"a/b","max_completion_tokens":null}', '{"max_tokens":64,"model":"up","max_completion_tokens":null}'],
  ['{"model":"up","x":{"max_tokens":9}}', '{"max_tokens":64,"model":"up","x":{"max_tokens":9}}'],
  ['{"model":"up","stream":true}', '{"stream_options":{"include_usage":true},"max_tokens":64,"model":"up","stream":true}'],
])('a limit of the answer is written into what has none, and no other byte changes: %s', (given, expected) => {
  expect(prepare(given, 'up', 'max_tokens')).toBe(expected);
});

test('the limit is called as the provider calls it', () => {
  expect(prepare('{"model":"up"}', 'up', 'max_completion_tokens')).toBe('{"max_completion_tokens":64,"model":"up"}');
});

test('what the provider parses is what the application sent, but for the model, the usage option and the limit', () => {
  const body = fc.record({
    model: fc.string({ minLength: 1 }),
    messages: fc.array(fc.jsonValue()),
    stream: fc.boolean(),
    extra: fc.jsonValue(),
    stream_options: fc.option(fc.record({ include_usage: fc.boolean(), other: fc.jsonValue() }), { nil: undefined }),
    max_tokens: fc.constantFrom(null, undefined),
  });
  const field = fc.constantFrom<OutputLimitField | null>('max_tokens', 'max_completion_tokens', null);
  fc.assert(
    fc.property(body, fc.string({ minLength: 1 }), field, (value, upstreamModel, limited) => {
      const sent: unknown = JSON.parse(prepare(JSON.stringify(value), upstreamModel, limited));
      const clean = JSON.parse(JSON.stringify(value));
      expect(sent).toEqual({
        ...clean,
        model: upstreamModel,
        ...(value.stream ? { stream_options: { ...clean.stream_options, include_usage: true } } : {}),
        ...(limited === null ? {} : { [limited]: 64 }),
      });
    }),
  );
});
