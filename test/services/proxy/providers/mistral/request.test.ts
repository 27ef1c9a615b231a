import fc from 'fast-check';
import { expect, test } from 'vitest';
import { prepareMistralChat } from '../../../../../services/proxy/providers/mistral/request.ts';

const prepare = (text: string, outputTokens: number | null = null): string =>
  prepareMistralChat({ bytes: Buffer.from(text), media: null, request: JSON.parse(text), outputTokens }, { upstreamModel: 'up' }).toString(
    'utf8',
  );

// Mistral answers 422 to a body with a member it does not know.
test.each([
  ['{"model":"up","x":1}', '{"model":"up","x":1}'],
  ['{ "model" : "a/b", "temperature":0.50 }', '{ "model" : "up", "temperature":0.50 }'],
  ['{"model":"up","stream":true,"stream_options":{"include_usage":true}}', '{"model":"up","stream":true}'],
  ['{"stream_options":null,"model":"up"}', '{"model":"up"}'],
  ['{"stream_options":{}}', '{}'],
  ['{"max_completion_tokens":5,"model":"up"}', '{"max_tokens":5,"model":"up"}'],
  ['{"max_tokens":9,"max_completion_tokens" : 5}', '{"max_tokens":5}'],
  ['{"max_completion_tokens":null,"max_tokens":9}', '{"max_tokens":9}'],
  ['{"seed":12345678901234567890,"model":"up","stream_options":{}}', '{"random_seed":12345678901234567890,"model":"up"}'],
  ['{"stream_options":{},"seed":null,"model":"a","stream_options":{}}', '{"model":"up"}'],
  ['{"messages":[{"seed":1,"stream_options":2}]}', '{"messages":[{"seed":1,"stream_options":2}]}'],
])('what it does not know is renamed or left out, and every other byte stays: %s', (given, expected) => {
  expect(prepare(given)).toBe(expected);
});

test.each([
  ['{"model":"up"}', '{"max_tokens":64,"model":"up"}'],
  ['{"max_completion_tokens":null,"model":"up","max_tokens":null}', '{"model":"up","max_tokens":64}'],
])('a limit of the answer is written under its own name: %s', (given, expected) => {
  expect(prepare(given, 64)).toBe(expected);
});

test('it parses what the application sent, under its own names', () => {
  const limit = fc.option(fc.nat(), { nil: null });
  const optional = { requiredKeys: ['model'] as ['model'] };
  const body = fc.record(
    {
      model: fc.string({ minLength: 1 }),
      stream_options: fc.jsonValue(),
      max_tokens: limit,
      max_completion_tokens: limit,
      seed: limit,
      random_seed: limit,
      extra: fc.jsonValue(),
    },
    optional,
  );
  fc.assert(
    fc.property(body, (value) => {
      const given = JSON.parse(JSON.stringify(value));
      const { stream_options: _left, max_completion_tokens: most, seed, ...expected } = given;
      if (most != null) expected.max_tokens = most;
      if (seed != null) expected.random_seed = seed;
      expect(JSON.parse(prepare(JSON.stringify(value)))).toEqual({ ...expected, model: 'up' });
    }),
  );
});
