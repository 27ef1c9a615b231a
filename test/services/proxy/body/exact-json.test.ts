import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExactJson } from '../../../../services/proxy/body/exact-json.ts';

test.each([
  '{"id":12345678901234567890}',
  '[1.0,1e2,-0,0.10,1E+2]',
  '{"a":{"b":[9007199254740993]}}',
  '7006652.0',
  '"1.0"',
  '{"__proto__":1.0}',
])('%s keeps its digits', (text) => {
  expect(JSON.stringify(parseExactJson(text))).toBe(text);
});

test('what is printed compactly is printed the same again', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      expect(JSON.stringify(parseExactJson(text))).toBe(text);
    }),
  );
});

test('what is no JSON is refused', () => {
  expect(() => parseExactJson('{"a":1.0')).toThrow(SyntaxError);
});
