import fc from 'fast-check';
import { expect, test } from 'vitest';
import { prepareChatBody } from '../../../../../services/proxy/providers/openai/request.ts';

const prepare = (text: string, upstreamModel = 'up'): string => {
  const request = JSON.parse(text);
  return prepareChatBody(Buffer.from(text), request, upstreamModel).toString('utf8');
};

test('only the model changes; digits, order, spaces and unknown fields stay', () => {
  expect(prepare('{ "seed" : 12345678901234567890, "model":"a/b" ,"x":1.50}')).toBe(
    '{ "seed" : 12345678901234567890, "model":"up" ,"x":1.50}',
  );
});

test('nothing changes when the provider calls the model the same', () => {
  const bytes = Buffer.from('{"model":"up","messages":[]}');
  expect(prepareChatBody(bytes, JSON.parse(bytes.toString()), 'up')).toBe(bytes);
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

test('what the provider parses is what the application sent, but for the model and the usage option', () => {
  const body = fc.record({
    model: fc.string({ minLength: 1 }),
    messages: fc.array(fc.jsonValue()),
    stream: fc.boolean(),
    extra: fc.jsonValue(),
    stream_options: fc.option(fc.record({ include_usage: fc.boolean(), other: fc.jsonValue() }), { nil: undefined }),
  });
  fc.assert(
    fc.property(body, fc.string({ minLength: 1 }), (value, upstreamModel) => {
      const sent: unknown = JSON.parse(prepare(JSON.stringify(value), upstreamModel));
      const clean = JSON.parse(JSON.stringify(value));
      expect(sent).toEqual({
        ...clean,
        model: upstreamModel,
        ...(value.stream ? { stream_options: { ...clean.stream_options, include_usage: true } } : {}),
      });
    }),
  );
});
