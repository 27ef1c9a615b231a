import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from '../../../../services/proxy/body/line-splitter.ts';

test('lines come whole, wherever the text was cut', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'bc', '\n', 'é'), { maxLength: 40 }), fc.integer({ min: 1, max: 5 }), (letters, size) => {
      const text = Buffer.from(letters.join(''));
      const splitter = new LineSplitter(1_000);
      const lines: (Buffer | null)[] = [];
      for (let from = 0; from < text.length; from += size) lines.push(...splitter.push(text.subarray(from, from + size)));
      expect(lines.map((line) => line !== null && line.indexOf('\n') === line.length - 1)).toEqual(lines.map(() => true));
      expect(Buffer.concat([...lines.filter((line) => line !== null), splitter.rest() ?? Buffer.alloc(0)])).toEqual(text);
    }),
  );
});

test('a line beyond the bound is passed over, and those after it are not', () => {
  const splitter = new LineSplitter(4);
  expect(splitter.push(Buffer.from('abc\nabcd'))).toEqual([Buffer.from('abc\n')]);
  expect(splitter.isOver).toBe(false);
  expect(splitter.push(Buffer.from('ef'))).toEqual([]);
  expect(splitter.isOver).toBe(true);
  expect(splitter.push(Buffer.from('g\nh\n'))).toEqual([null, Buffer.from('h\n')]);
  expect(splitter.rest()).toEqual(Buffer.alloc(0));
});
