import { expect, test } from 'vitest';
import { MediaStreamReader } from '../../../../../../services/proxy/providers/openai/media/media-stream.ts';
import { PLAIN_READING } from '../../../../../../services/proxy/providers/openai/reading.ts';

const picture = 'data: {"type":"image_generation.completed","b64_json":"aGk="}\n\n';

/** @returns what passed, and whether it was taken for whole. */
function read(choices: number, text: string, inOrder: boolean): { readonly passed: string; readonly isWhole: boolean } {
  let passed = '';
  const take = (bytes: Buffer): void => {
    passed += bytes.toString('utf8');
  };
  const reader = new MediaStreamReader(choices, { pass: take, completed: take, failed: () => {}, broken: () => {} }, PLAIN_READING);
  reader.push(Buffer.from(text));
  const isWhole = reader.end(inOrder);
  return { passed, isWhole };
}

test('a connection that breaks between two pictures leaves no whole answer behind, behind the last it does', () => {
  expect(read(2, picture, false).isWhole).toBe(false);
  expect(read(2, picture + picture, false)).toEqual({ passed: picture + picture, isWhole: true });
});

test('a provider may make fewer pictures than were asked for, and end in order', () => {
  expect(read(2, picture, true)).toEqual({ passed: picture, isWhole: true });
});
