import { describe, expect, test } from 'vitest';
import { providerAddress, providerSegment } from '../../../../services/proxy/pass-through/provider-address.ts';

const base = 'https://api.example.org/v1';

test.each([
  ['/openai/files', 'openai'],
  ['/openai/v1/files/file-1/content', 'openai'],
  ['/openai/', null],
  ['/openai', null],
  ['//files', null],
  ['/', null],
])('of %s the provider is %s', (path, name) => {
  expect(providerSegment(path)).toBe(name);
});

describe('a request below the name of a provider', () => {
  test.each([
    ['/openai/files', '/files'],
    ['/openai/v1/files', '/files'],
    ['/openai/v1/v1/files', '/v1/files'],
    ['/openai/files?limit=2&after=f%201', '/files?limit=2&after=f%201'],
    ['/openai/files?key=secret&limit=2&API_KEY=x', '/files?limit=2'],
    ['/openai/files?key=secret', '/files'],
    ['/openai/files/a%20b', '/files/a%20b'],
    ['http://gateway/openai/files', '/files'],
  ])('%s goes to %s', (target, path) => {
    expect(providerAddress(target, 'openai', base)).toEqual({ provider: 'openai', path });
  });

  test('keeps its whole path where the base URL has none', () => {
    expect(providerAddress('/own/v1/files', 'own', 'http://server').path).toBe('/v1/files');
  });

  test.each([
    '/openai/../admin',
    '/openai/v1/%2e%2E/admin',
    '/openai/a/./b',
    '/openai//other',
    '/openai/a%2fb',
    '/openai/a\\b',
    '/openai/..',
  ])('%s is refused: it might lead out of the base URL', (target) => {
    expect(() => providerAddress(target, 'openai', base)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });
});
