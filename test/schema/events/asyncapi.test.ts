import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderAsyncApi } from '../../../schema/events/asyncapi.ts';

const document: unknown = JSON.parse(renderAsyncApi());

/** Follows a `#/…` pointer within the document. */
function resolve(pointer: string): unknown {
  return pointer
    .slice(2)
    .split('/')
    .reduce<unknown>((node, name) => (typeof node === 'object' && node !== null ? Reflect.get(node, name) : undefined), document);
}

test('every reference in the AsyncAPI document leads somewhere', () => {
  const references = [...renderAsyncApi().matchAll(/"\$ref": "([^"]+)"/g)].map((match) => match[1] ?? '');
  expect(references.length).toBeGreaterThan(5);
  for (const reference of references) expect(resolve(reference), reference).toBeDefined();
});

test('operations name messages of their channel, as AsyncAPI 3 demands', () => {
  const operations = Object.values(resolve('#/operations') as Record<string, { messages: { $ref: string }[] }>);
  for (const { messages } of operations) for (const { $ref } of messages) expect($ref).toMatch(/^#\/channels\/requests\/messages\//);
});

test('the committed AsyncAPI document is the one the schemas give', () => {
  expect(readFileSync(new URL('../../../schema/events/asyncapi.json', import.meta.url), 'utf8')).toBe(renderAsyncApi());
});
