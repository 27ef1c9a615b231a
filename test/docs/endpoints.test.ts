import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { PROVIDER_ENDPOINTS, servesEndpoint } from '../../schema/http/endpoints.ts';
import { PROVIDER_PROTOCOLS } from '../../schema/values/provider-protocol.ts';

const page = await readFile(new URL('../../docs/endpoints.md', import.meta.url), 'utf8');

test.each(PROVIDER_ENDPOINTS)('the page says who serves %s', (path) => {
  const row = page.split('\n').find((line) => line.startsWith(`| \`POST ${path}\` |`)) ?? '';
  const cell = row.split('|')[2]?.trim() ?? '';
  const said = cell === 'all' ? [...PROVIDER_PROTOCOLS] : [...cell.matchAll(/`([a-z-]+)`/g)].map(([, protocol]) => protocol);
  expect(said.sort()).toEqual(PROVIDER_PROTOCOLS.filter((protocol) => servesEndpoint(protocol, path)).sort());
});
