import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable, readableBytes } from '../../../../services/cli/dead-letters/printable.ts';

test('what a stranger wrote cannot move the cursor, color the terminal, or turn the direction of writing', () => {
  expect(printable('\u001b[2J\r\nx\u202ey\u0000\u2028é')).toBe(String.raw`\x1b[2J\x0d\x0ax\u{202e}y\x00\u{2028}é`);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    }),
  );
});

test('bytes are shown as text where they are text, also when cut within a character, else in hex', () => {
  expect(readableBytes(Buffer.from('{"a":"é"}'), 100)).toBe('{"a":"é"}');
  expect(readableBytes(Buffer.from([0, 255, 1]), 100)).toBe('00 ff 01');
  expect(readableBytes(Buffer.from('aé'), 2)).toBe('a\n… and 1 bytes more (--raw writes all of them)');
  expect(readableBytes(Buffer.alloc(0), 10)).toBe('');
});
