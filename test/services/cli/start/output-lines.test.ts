import { expect, test } from 'vitest';
import { createLineSplitter, gistOf } from '../../../../services/cli/start/output-lines.ts';

test('lines come out whole however they arrive, the last one at the end', () => {
  const lines: string[] = [];
  const splitter = createLineSplitter((line) => lines.push(line));
  for (const part of ['a', 'b\nc', '\n\nd']) splitter.push(part);
  expect(lines).toEqual(['ab', 'c', '']);
  splitter.end();
  expect(lines.at(-1)).toBe('d');
});

test('a line without end is cut, so that memory stays bounded', () => {
  const lines: string[] = [];
  const splitter = createLineSplitter((line) => lines.push(line));
  for (let part = 0; part < 40; part++) splitter.push('x'.repeat(8 * 1024));
  expect(lines.map((line) => line.length)).toEqual([65_536, 65_536, 65_536, 65_536]);
});

test('the gist of a structured record is its message and error; of other text the text', () => {
  expect(gistOf('{"level":"fatal","msg":"ended","error":{"message":"no disk"}}')).toBe('ended: no disk');
  expect(gistOf('{"level":"fatal","msg":"ended"}')).toBe('ended');
  expect(gistOf('Segmentation fault')).toBe('Segmentation fault');
  expect(gistOf('{broken')).toBe('{broken');
});
