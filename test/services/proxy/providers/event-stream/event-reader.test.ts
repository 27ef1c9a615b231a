import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventReader } from '../../../../../services/proxy/providers/event-stream/event-reader.ts';

function read(chunks: readonly Buffer[]): string[][] {
  const events: string[][] = [];
  const reader = new EventReader((data, name) => events.push([name, data]));
  for (const chunk of chunks) expect(reader.push(chunk)).toBe(true);
  reader.end();
  return events;
}

test('names, data of several lines, comments, and either end of a line', () => {
  const text = 'event: one\r\ndata: {"a":1}\r\n\r\n: a comment\n\ndata:first\ndata: second\nid: 7\n\nevent: bare\n\ndata: ünfinished';
  expect(read([Buffer.from(text)])).toEqual([
    ['one', '{"a":1}'],
    ['', 'first\nsecond'],
    ['', 'ünfinished'],
  ]);
});

test('events are the same wherever the reads cut them', () => {
  const line = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(/[\r\n]/g, ''));
  const ending = fc.constantFrom('\n', '\r\n');
  fc.assert(
    fc.property(fc.array(fc.record({ name: line, data: line, ending })), fc.array(fc.nat(400)), (events, cuts) => {
      const bytes = Buffer.from(events.map(({ name, data, ending: end }) => `event: ${name}${end}data: ${data}${end}${end}`).join(''));
      const places = [...new Set([0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length])].sort((a, b) => a - b);
      const chunks = places.slice(1).map((place, index) => bytes.subarray(places[index], place));
      expect(read(chunks)).toEqual(events.map(({ name, data }) => [name, data]));
    }),
  );
});

test('an event larger than any may be is no event', () => {
  const reader = new EventReader(() => expect.unreachable());
  expect(reader.push(Buffer.alloc(4 * 1024 * 1024, 'a'))).toBe(true);
  expect(reader.push(Buffer.alloc(5 * 1024 * 1024, 'a'))).toBe(false);
});
