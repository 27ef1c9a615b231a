import { expect, test } from 'vitest';
import { findPrincipal } from '../../../services/registry/admin-access.ts';
import type { NewApiKey } from '../../../services/registry/api-keys.ts';
import { createApiKey, revokeApiKey, updateApiKey } from '../../../services/registry/api-keys.ts';
import { breakGlass } from '../../../services/registry/break-glass.ts';
import { systemClock } from '../../../services/runtime/clock.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { changeOf, makeOrganization, testSecrets } from '../../harness/registry.ts';

const root: NewApiKey = {
  name: 'Administrator',
  kind: 'adm',
  environment: 'live',
  permissions: ['*', 'installation:admin'],
  teamId: null,
  allowedModels: null,
  tags: {},
  metadata: {},
  expiresAt: null,
};
const options = (keyId: string | null = null) => ({
  secrets: testSecrets,
  clock: systemClock,
  random: systemRandom,
  operator: 'ada@host',
  reason: 'the vault burnt down',
  keyId,
});

test('the oldest key that administers the installation gets a new secret: the old one ends, and nothing keeps it out', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organization = await makeOrganization(db, 'acme');
  const made = await changeOf(db, organization, (change) => createApiKey(change, root, testSecrets));
  await changeOf(db, organization, (change) => createApiKey(change, root, testSecrets));
  await changeOf(db, organization, (change) =>
    updateApiKey(change, {
      id: made.key.id,
      expectedVersion: 1,
      disabled: true,
      expiresAt: new Date(Date.now() - 1_000),
      allowedCidrs: ['192.0.2.0/24'],
    }),
  );
  const { key, secret, ...rest } = await breakGlass(db, options());
  expect([key.id, rest]).toEqual([made.key.id, { organization: 'acme', recovered: true }]);
  expect((await findPrincipal(db, made.secret, testSecrets, Date.now())).kind).toBe('revoked');
  expect(await findPrincipal(db, secret, testSecrets, Date.now())).toMatchObject({
    kind: 'known',
    apiKeyId: made.key.id,
    permissions: ['*', 'installation:admin'],
    expiresAt: null,
    allowedCidrs: null,
  });
  const events = await db.selectFrom('audit_events').selectAll().where('action', '=', 'api_key.break_glass').execute();
  expect(events).toMatchObject([
    {
      organization_id: organization,
      actor: { kind: 'system', id: 'break-glass', name: 'turnpike break-glass by ada@host' },
      changes: expect.arrayContaining([{ field: 'reason', from: null, to: 'the vault burnt down' }]),
    },
  ]);
  expect(JSON.stringify(events)).not.toContain(secret.slice(-20));
});

test('where every such key is revoked, one is made', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organization = await makeOrganization(db, 'acme');
  const { key } = await changeOf(db, organization, (change) => createApiKey(change, root, testSecrets));
  await changeOf(db, organization, (change) => revokeApiKey(change, { id: key.id, reason: 'leaked' }));
  const made = await breakGlass(db, options());
  expect([made.recovered, made.key.id === key.id]).toEqual([false, false]);
  expect(await findPrincipal(db, made.secret, testSecrets, Date.now())).toMatchObject({ kind: 'known', permissions: root.permissions });
});

test('a named admin key keeps its permissions; a key of an application, a revoked and an unknown one are refused and nothing changes', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  await expect(breakGlass(db, options())).rejects.toMatchObject({ code: 'not_found' });
  const organization = await makeOrganization(db, 'acme');
  const make = (fields: Partial<NewApiKey>) =>
    changeOf(db, organization, (change) => createApiKey(change, { ...root, ...fields }, testSecrets));
  const reader = await make({ name: 'Reader', permissions: ['request:read'] });
  const model = await make({ name: 'App', kind: 'ak', permissions: [] });
  const revoked = await make({ name: 'Gone' });
  await changeOf(db, organization, (change) => revokeApiKey(change, { id: revoked.key.id, reason: null }));
  const { secret } = await breakGlass(db, options(reader.key.id));
  expect(await findPrincipal(db, secret, testSecrets, Date.now())).toMatchObject({ kind: 'known', permissions: ['request:read'] });
  const before = await db.selectFrom('api_key_secrets').selectAll().orderBy('id').execute();
  await expect(breakGlass(db, options(model.key.id))).rejects.toMatchObject({ code: 'not_found' });
  await expect(breakGlass(db, options(revoked.key.id))).rejects.toMatchObject({ code: 'already_revoked' });
  await expect(breakGlass(db, options(organization))).rejects.toMatchObject({ code: 'not_found' });
  expect(await db.selectFrom('api_key_secrets').selectAll().orderBy('id').execute()).toEqual(before);
});
