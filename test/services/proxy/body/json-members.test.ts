import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonMembers, lastJsonMember, soleMember } from '../../../../services/proxy/body/json-members.ts';

/** Prints JSON with arbitrary white space, and keys that may be escaped. */
function print(value: unknown, space: string, escaped: boolean): string {
  if (Array.isArray(value)) return `[${value.map((item) => `${space}${print(item, space, escaped)}${space}`).join(',')}${space}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, item]) => {
    const name = escaped
      ? `"${[...key].map((unit) => (unit.length === 1 ? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}` : unit)).join('')}"`
      : JSON.stringify(key);
    return `${space}${name}${space}:${space}${print(item, space, escaped)}${space}`;
  });
  return `{${members.join(',')}${space}}`;
}

const space = fc.constantFrom('', ' ', '\n\t', '\r\n  ');
const long = fc.string({ minLength: 40, maxLength: 90, unit: fc.constantFrom('a', '"', '\\', 'é', '{', '}', ',') });
const values = fc.dictionary(fc.oneof(fc.string(), fc.constant('model')), fc.oneof(fc.jsonValue(), long));

test('the members of any object are those JSON.parse finds, value by value', () => {
  fc.assert(
    fc.property(values, space, fc.boolean(), (value, gap, escaped) => {
      const text = gap + print(value, gap, escaped) + gap;
      const bytes = Buffer.from(text);
      const parsed: unknown = JSON.parse(text);
      const found = jsonMembers(bytes)?.map(({ key, start, end }) => [key, JSON.parse(bytes.toString('utf8', start, end))]);
      expect(Object.fromEntries(found ?? [])).toEqual(parsed);
      expect(found).toHaveLength(Object.keys(value).length);
    }),
  );
});

test('duplicates are all found, the last being the one JSON.parse takes', () => {
  const bytes = Buffer.from('{"model":"a","x":{"model":"inner"},"mod\\u0065l":"b"}');
  expect(
    jsonMembers(bytes)
      ?.filter(({ key }) => key === 'model')
      .map(({ start, end }) => bytes.toString('utf8', start, end)),
  ).toEqual(['"a"', '"b"']);
});

test('what is no object has no members', () => {
  for (const text of ['[]', '1', '"x"', 'null', '']) expect(jsonMembers(Buffer.from(text))).toBeNull();
});

test('bytes that are no JSON end it too', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom('', '{', '{"a":', '{"a":"', '{"a":[[{"'), (noise, start) => {
      jsonMembers(Buffer.concat([Buffer.from(start), noise]));
    }),
  );
});

test('the last member of a name is the one a walk from the start finds, wherever else the name stands', () => {
  const named = fc.constantFrom('usage', 'us\\age', 'a"usage', '"usage":', 'x', '\\"usage');
  const { value: nested } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.integer(),
      named,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(named, tie('value'), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(named, nested, { maxKeys: 4 }), space, fc.boolean(), (value, gap, escaped) => {
      const bytes = Buffer.from(gap + print(value, gap, escaped) + gap);
      const walked = jsonMembers(bytes)?.findLast(({ key }) => key === 'usage');
      const found = lastJsonMember(bytes, 'usage');
      expect(found && [found.start, found.end]).toEqual(walked === undefined ? null : [walked.start, walked.end]);
    }),
    { numRuns: 1_000 },
  );
});

test('of duplicates the last counts, also when its name is written with an escape', () => {
  const bytes = Buffer.from('{"usage":1,"x":{"usage":2},"us\\u0061ge":3,"y":[{"usage":4}]}');
  const found = lastJsonMember(bytes, 'usage');
  expect(bytes.toString('utf8', found?.start, found?.end)).toBe('3');
});

test('a member that is found without a walk is the one that a walk finds, in short bodies and in long ones', () => {
  let found = 0;
  fc.assert(
    fc.property(values, space, fc.boolean(), fc.boolean(), (value, gap, escaped, isLong) => {
      const text = print({ ...value, padding: isLong ? 'é'.repeat(4_096) : 'é', model: 'asked for' }, gap, escaped);
      const bytes = Buffer.from(text);
      const sole = soleMember(bytes, 'model');
      if (sole === null) return;
      found += 1;
      const [member, ...others] = (jsonMembers(bytes) ?? []).filter(({ key }) => key === 'model');
      expect([sole, others]).toEqual([{ start: member?.start, end: member?.end }, []]);
    }),
  );
  expect(found).toBeGreaterThan(0);
});
