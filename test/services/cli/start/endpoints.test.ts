import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { composeEndpoints, readEndpoints, writeEndpoints } from '../../../../services/cli/start/endpoints.ts';

const origins = { proxy: 'http://127.0.0.1:4000', api: 'http://127.0.0.1:4100', simulator: 'http://127.0.0.1:4200' };
const keys = { adminKey: 'tpk_adm_1', demoKey: 'tpk_ak_1' };

test('endpoints have the form that DESIGN.md gives', () => {
  expect(composeEndpoints(origins, keys)).toEqual({
    proxyUrl: 'http://127.0.0.1:4000/v1',
    graphqlUrl: 'http://127.0.0.1:4100/graphql',
    graphqlWsUrl: 'ws://127.0.0.1:4100/graphql',
    consoleUrl: 'http://127.0.0.1:4100/',
    simUrl: 'http://127.0.0.1:4200',
    ...keys,
  });
});

test('who listens on every address is named by the loopback one', () => {
  const everywhere = { proxy: 'http://0.0.0.0:1', api: 'http://[::]:2', simulator: 'http://0.0.0.0:3' };
  expect(composeEndpoints(everywhere, keys)).toMatchObject({ proxyUrl: 'http://127.0.0.1:1/v1', graphqlUrl: 'http://[::1]:2/graphql' });
});

test('the file is private even where a leftover was not, and a damaged one counts as lost', async () => {
  const home = await mkdtemp(join(tmpdir(), 'turnpike-endpoints-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  expect(await readEndpoints(home)).toBeNull();
  await writeFile(join(home, 'endpoints.json.draft'), 'leftover', { mode: 0o644 });
  const endpoints = composeEndpoints(origins, keys);
  await writeEndpoints(home, endpoints);
  expect(await readEndpoints(home)).toEqual(endpoints);
  expect((await stat(join(home, 'endpoints.json'))).mode & 0o777).toBe(0o600);
  for (const damage of ['{', '{"proxyUrl":1}', '']) {
    await writeFile(join(home, 'endpoints.json'), damage);
    expect(await readEndpoints(home)).toBeNull();
  }
});
