import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDurationMs } from '../../../schema/graphql/duration.ts';
import { formatInstant, parseDate, parseInstant } from '../../../schema/graphql/instant.ts';
import { requireMetadata } from '../../../schema/graphql/metadata-json.ts';

test('an instant survives its text, with microseconds written out', async () => {
  await fc.assert(
    fc.property(fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), (instant) => {
      expect(parseInstant(formatInstant(instant))).toEqual(instant);
    }),
  );
  expect(formatInstant(new Date('2026-11-21T07:40:00.123Z'))).toBe('2026-11-21T07:40:00.123000Z');
});

test('an instant finer than a millisecond is rounded up, so that bounds stay exact', () => {
  expect(parseInstant('2026-11-21T07:40:00.123001Z').getTime()).toBe(Date.parse('2026-11-21T07:40:00.124Z'));
  expect(parseInstant('2026-11-21T09:40:00+02:00').getTime()).toBe(Date.parse('2026-11-21T07:40:00Z'));
});

test.each([
  '',
  '2026-11-21',
  '2026-02-30T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-11-21T25:00:00Z',
  '2026-11-21 07:40:00Z',
  '2026-11-21T07:40:00',
  'now',
])('%j is no instant', (text) => {
  expect(() => parseInstant(text)).toThrow(RangeError);
});

test('a date that is not in the calendar is refused', () => {
  expect(parseDate('2024-02-29')).toBe('2024-02-29');
  for (const text of ['2023-02-29', '2026-1-1', 'x']) expect(() => parseDate(text)).toThrow(RangeError);
});

test('a duration survives its text', async () => {
  await fc.assert(
    fc.property(fc.integer({ min: 0, max: 400 * 86_400_000 }), (milliseconds) => {
      expect(parseDurationMs(formatDuration(milliseconds))).toBe(milliseconds);
    }),
  );
  expect(parseDurationMs('P1W')).toBe(7 * 86_400_000);
  expect(formatDuration(90_000)).toBe('PT1M30S');
});

test.each(['', 'P', 'PT', 'P1Y', 'P1M', '1s', 'PT1.2345S', '-PT1S', 'PT1S1M'])('%j is no duration', (text) => {
  expect(() => parseDurationMs(text)).toThrow(RangeError);
});

test('metadata has a size and a depth', () => {
  expect(requireMetadata({ a: { b: [{ c: 1 }] } })).toEqual({ a: { b: [{ c: 1 }] } });
  expect(() => requireMetadata({ a: { b: { c: { d: { e: { f: 1 } } } } } })).toThrow(/deep/);
  expect(() => requireMetadata('x'.repeat(17_000))).toThrow(/bytes/);
  let endless: unknown = 1;
  for (let level = 0; level < 100_000; level++) endless = [endless];
  expect(() => requireMetadata(endless)).toThrow(/deep/);
});
