import { expect, test } from 'vitest';
import { formBoundary, parseForm } from '../../../../services/proxy/body/multipart-form.ts';

const part = (head: string, content: string): string => `--b\r\n${head}\r\n\r\n${content}\r\n`;
const field = (name: string, content: string): string => part(`content-disposition: form-data; name="${name}"`, content);
const file = part('Content-Disposition: form-data; filename="a;b.mp3"; name="file"\r\nContent-Type: audio/mpeg', 'sound\r\n--not');
const parse = (text: string) => parseForm(Buffer.from(text), 'b');

test('what a form says is found, whatever its files hold', () => {
  const form = parse(`${field('model', 'whisper')}${file}${field('stream', '')}--b--\r\n`);
  expect([form.texts('model'), form.texts('stream'), form.texts('file'), form.texts('none')]).toEqual([['whisper'], [''], [], []]);
  expect([form.files, form.fileBytes, form.contentType]).toEqual([1, 12, 'multipart/form-data; boundary=b']);
});

test('the same form by another boundary has the same pieces', () => {
  const text = `${field('model', 'm')}${file}--b--`;
  const other = parseForm(Buffer.from(text.replaceAll('--b', '--other')), 'other').pieces();
  expect(other.map(String)).toEqual(parse(text).pieces().map(String));
});

test.each([
  '',
  'nonsense',
  '--b',
  '--b\r\n',
  field('model', 'm'),
  `x\r\n${field('model', 'm')}--b--`,
  `${part('content-disposition: form-data', 'm')}--b--`,
  `${part('content-type: text/plain', 'm')}--b--`,
  // Who reads one of these might take it for another name.
  `${part('content-disposition: form-data; name="mod\\"el"', 'm')}--b--`,
  `${part("content-disposition: form-data; name*=utf-8''model", 'm')}--b--`,
  `${part('content-disposition: form-data; name="x"; name*=utf-8\'\'model', 'm')}--b--`,
  `${part('content-disposition: form-data; name="x"; name="model"', 'm')}--b--`,
  `${part('content-disposition: form-data; name="x"\r\ncontent-disposition: form-data; name="model"', 'm')}--b--`,
  `${part('content-disposition: form-data; name=model', 'm')}--b--`,
  `${part(`content-disposition: form-data; name="x"\r\nx: ${'y'.repeat(9_000)}`, 'm')}--b--`,
  `${field('x', 'y').repeat(129)}--b--`,
])('what cannot be read in one way only is refused: %#', (text) => {
  expect(() => parse(text)).toThrow('not a form');
});

test.each([
  ['multipart/form-data; boundary=abc', 'abc'],
  ['multipart/form-data; charset=utf-8; boundary="a b"', 'a b'],
  ['Multipart/Form-Data;boundary=abc; charset=utf-8', 'abc'],
  ['multipart/form-data', null],
  ['application/json', null],
])('of %s the boundary is %s', (type, boundary) => {
  expect(formBoundary({ 'content-type': type })).toBe(boundary);
});

test('a compressed form is refused', () => {
  expect(() => formBoundary({ 'content-type': 'multipart/form-data; boundary=a', 'content-encoding': 'gzip' })).toThrow('not compressed');
});
