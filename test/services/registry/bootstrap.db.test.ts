import { expect, test } from 'vitest';
import { findPrincipal } from '../../../services/registry/admin-access.ts';
import type { BootstrapOptions } from '../../../services/registry/bootstrap.ts';
import { bootstrap } from '../../../services/registry/bootstrap.ts';
import { systemClock } from '../../../services/runtime/clock.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import { StartRefusal } from '../../../services/runtime/start-refusal.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { testSecrets } from '../../harness/registry.ts';

const options: BootstrapOptions = {
  secrets: testSecrets,
  clock: systemClock,
  random: systemRandom,
  organization: { slug: 'acme', name: 'Acme' },
  desired: [
    {
      owner: 'file',
      providers: [{ name: 'acme', protocol: 'openai', baseUrl: 'http://127.0.0.1:1/v1', credential: null, options: {} }],
      models: [{ name: 'acme/fast', upstreamModel: 'fast', contextWindow: null, maxOutputTokens: null, price: null }],
      keys: [],
    },
  ],
  demoKey: false,
};

test('an empty installation gets its first organization, what the files want, and a key that may do everything', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const made = await bootstrap(db, options);
  expect(made.demoKey).toBeNull();
  expect(await findPrincipal(db, made.adminKey, testSecrets, Date.now())).toMatchObject({
    kind: 'known',
    keyKind: 'adm',
    permissions: ['*', 'installation:admin'],
  });
  expect(await db.selectFrom('organizations').select(['slug', 'name']).execute()).toEqual([options.organization]);
  expect(await db.selectFrom('models').select(['name', 'managed_by']).execute()).toEqual([
    { name: 'acme/fast', managed_by: 'file:Model/acme/fast' },
  ]);
});

test('of many that bootstrap at once one makes the installation, and a later one makes nothing', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const slugs = ['one', 'two', 'three'];
  const results = await Promise.allSettled(slugs.map((slug) => bootstrap(db, { ...options, organization: { slug, name: slug } })));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  await expect(bootstrap(db, options)).rejects.toThrow(StartRefusal);
  expect(await db.selectFrom('organizations').select('id').execute()).toHaveLength(1);
  expect(await db.selectFrom('api_keys').select('id').execute()).toHaveLength(1);
});
