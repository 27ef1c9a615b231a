import { describe, expect, test } from 'vitest';
import { liftMedia } from '../../../../services/proxy/body/lifted-media.ts';
import { joined } from '../../../../services/proxy/body/sent-body.ts';

const MARK = 'f00d';
const bytesOf = (length: number, begin: string): Buffer =>
  Buffer.concat([Buffer.from(begin, 'latin1'), Buffer.alloc(length, 'media \x00\xfe', 'latin1')]);
const pdf = bytesOf(800_000, '%PDF-1.7\n').toString('base64');
const picture = bytesOf(300_000, '\x89PNG\r\n\x1a\n\0').toString('base64');
const text = Buffer.alloc(800_000, 'nothing but words, ').toString('base64');
/** So that a body is large whatever else is in it. */
const filler = 'many words '.repeat(100_000);

const lift = (json: string) => liftMedia(Buffer.from(json), () => MARK);

describe('what is lifted out of a body', () => {
  const body = { filler, a: pdf, b: [{ url: `data:image/png;base64,${picture}` }], c: 'é"\\', d: pdf };
  const media = lift(JSON.stringify(body));
  const skeleton = JSON.parse(media?.skeleton.toString() ?? '');

  test('leaves its beginning, by which it is known, and a mark', () => {
    expect(media?.skeleton.length).toBeLessThan(filler.length + 3_000);
    expect(skeleton.a).toBe(`${pdf.slice(0, 512)}${MARK}x0x`);
    expect(skeleton.b[0].url).toMatch(/^data:image\/png;base64,iVBORw0KGg.*f00dx1x$/);
    expect(skeleton.c).toBe('é"\\');
  });

  test('is in its place again in whatever is made of the rest, as often as it stands there', () => {
    const written = JSON.stringify({ z: skeleton.b, twice: [skeleton.a, skeleton.a], quoted: JSON.stringify({ d: skeleton.d }) });
    const sent = JSON.parse(joined(media?.restore(written) ?? []).toString());
    expect(sent).toEqual({ z: body.b, twice: [pdf, pdf], quoted: JSON.stringify({ d: pdf }) });
  });

  test('is not copied', () => {
    const bytes = Buffer.from(JSON.stringify(body));
    const sent = liftMedia(bytes, () => MARK)?.restore(JSON.stringify(skeleton)) ?? [];
    const large = Buffer.isBuffer(sent) ? [sent] : sent.filter(({ length }) => length > 300_000);
    expect(large.filter(({ buffer }) => buffer === bytes.buffer)).toHaveLength(3);
  });
});

test('slashes may be escaped, as PHP does', () => {
  const url = `data:image/png;base64,${bytesOf(800_000, '\x89PNG\0\xff\xff\xff').toString('base64')}`;
  const media = lift(`{"filler":"${filler}","url":"${url.replaceAll('/', '\\/')}"}`);
  const { url: left } = JSON.parse(media?.skeleton.toString() ?? '');
  expect(left.length).toBeLessThan(600);
  expect(JSON.parse(joined(media?.restore(JSON.stringify({ left })) ?? []).toString())).toEqual({ left: url });
});

test.each([
  ['a small body', JSON.stringify({ a: pdf.slice(0, 900_000) })],
  ['a small picture', JSON.stringify({ filler, a: picture.slice(0, 60_000) })],
  ['a text', JSON.stringify({ filler, a: 'words-without-spaces'.repeat(60_000) })],
  ['a text in base64', JSON.stringify({ filler, a: text })],
  ['a text in base64 by its address', JSON.stringify({ filler, a: `data:text/plain;base64,${pdf}` })],
  [
    'a text of two bytes a character',
    JSON.stringify({ filler, a: Buffer.from(`\ufeff${'words '.repeat(60_000)}`, 'utf16le').toString('base64') }),
  ],
  ['what is in the other alphabet of base64', JSON.stringify({ filler, a: `${picture.slice(0, -3)}-__` })],
  ['what has a space in it', JSON.stringify({ a: `${pdf} ${pdf}` })],
  ['what has an escape in it', JSON.stringify({ a: `${pdf}\n${pdf}` })],
  ['what has a character in it that is no ASCII', JSON.stringify({ a: `${pdf}é${pdf}` })],
  ['what has a control character in it, which is no JSON', `{"a":"${pdf}\n${pdf}"}`],
])('%s stays where it is', (_name, json) => {
  expect(lift(json)).toBeNull();
});

test.each([
  ['that does not end', `{"a":"${pdf}`],
  ['whose string does not begin', `{"a":${pdf}"}`],
  ['with a comma too many', `{"a":"${pdf}",}`],
])('a body %s is no JSON without its media either', (_name, json) => {
  const large = lift(json.padEnd(1_100_000))?.skeleton.toString() ?? json;
  expect(() => JSON.parse(large)).toThrow(SyntaxError);
});
