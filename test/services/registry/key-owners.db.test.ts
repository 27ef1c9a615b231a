import { expect, test } from 'vitest';
import { findPrincipal } from '../../../services/registry/admin-access.ts';
import { createApiKey } from '../../../services/registry/api-keys.ts';
import type { Change } from '../../../services/registry/change.ts';
import { readSnapshot } from '../../../services/registry/read-snapshot.ts';
import { archiveServiceAccount, createServiceAccount, updateServiceAccount } from '../../../services/registry/service-accounts.ts';
import { archiveUser, createUser, updateUser } from '../../../services/registry/users.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { changeOf, makeOrganization, testSecrets } from '../../harness/registry.ts';

const key = {
  name: 'nightly',
  environment: 'live',
  teamId: null,
  allowedModels: null,
  tags: {},
  metadata: {},
  permissions: [],
  expiresAt: null,
} as const;

test('a key of a service account works exactly as long as its account does', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organizationId = await makeOrganization(db, 'acme');
  const change = <Result>(write: (change: Change) => Promise<Result>) => changeOf(db, organizationId, write);
  const { serviceAccount } = await change((each) => createServiceAccount(each, { name: 'batch' }));
  const { id } = serviceAccount;
  const made = await change((each) => createApiKey(each, { ...key, kind: 'sa', serviceAccountId: id }, testSecrets));
  expect(made.secret).toMatch(/^tpk_sa_/);
  expect(made.key).toMatchObject({ kind: 'sa', service_account_id: id, user_id: null });
  const state = async () => {
    const [seen] = (await readSnapshot(db)).keys;
    const { kind } = await findPrincipal(db, made.secret, testSecrets, Date.now());
    return { kind, isDisabled: seen?.disabledAt !== null, owner: seen?.serviceAccountId?.slice(0, 4) };
  };
  expect(await state()).toEqual({ kind: 'known', isDisabled: false, owner: 'svc_' });
  await change((each) => updateServiceAccount(each, { id, expectedVersion: 1, disabled: true }));
  expect(await state()).toEqual({ kind: 'disabled', isDisabled: true, owner: 'svc_' });
  await change((each) => updateServiceAccount(each, { id, expectedVersion: 2, disabled: false, name: 'nightly' }));
  expect(await state()).toEqual({ kind: 'known', isDisabled: false, owner: 'svc_' });
  await change((each) => archiveServiceAccount(each, { id, expectedVersion: 3 }));
  expect(await state()).toEqual({ kind: 'disabled', isDisabled: true, owner: 'svc_' });
  await expect(change((each) => updateServiceAccount(each, { id, expectedVersion: 4, disabled: false }))).rejects.toMatchObject({
    code: 'archived',
  });
});

test("a user's key works until the user is archived", async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organizationId = await makeOrganization(db, 'acme');
  const change = <Result>(write: (change: Change) => Promise<Result>) => changeOf(db, organizationId, write);
  const { user } = await change((each) => createUser(each, { email: 'ada@example.org', name: 'Ada' }));
  const made = await change((each) => createApiKey(each, { ...key, kind: 'ak', userId: user.id }, testSecrets));
  expect((await readSnapshot(db)).keys).toMatchObject([{ userId: expect.stringMatching(/^usr_/), disabledAt: null }]);
  await change((each) => archiveUser(each, { id: user.id, expectedVersion: 1 }));
  expect((await findPrincipal(db, made.secret, testSecrets, Date.now())).kind).toBe('disabled');
  expect((await readSnapshot(db)).keys[0]?.disabledAt).not.toBeNull();
});

test('a key has the owner its kind wants, of its own organization', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const [organizationId, other] = [await makeOrganization(db, 'acme'), await makeOrganization(db, 'zeta')];
  const { serviceAccount } = await changeOf(db, other, (each) => createServiceAccount(each, { name: 'batch' }));
  const { user } = await changeOf(db, other, (each) => createUser(each, { email: 'ada@example.org', name: 'Ada' }));
  const create = (owner: Partial<Parameters<typeof createApiKey>[1]>, organization = organizationId) =>
    changeOf(db, organization, (each) => createApiKey(each, { ...key, kind: 'ak', ...owner }, testSecrets));
  await expect(create({ kind: 'sa' })).rejects.toMatchObject({ code: 'invalid' });
  await expect(create({ serviceAccountId: serviceAccount.id }, other)).rejects.toMatchObject({ code: 'invalid' });
  await expect(create({ kind: 'sa', serviceAccountId: serviceAccount.id, userId: user.id }, other)).rejects.toMatchObject({
    code: 'invalid',
  });
  await expect(create({ kind: 'sa', serviceAccountId: serviceAccount.id })).rejects.toMatchObject({ code: 'not_found' });
  await expect(create({ userId: user.id })).rejects.toMatchObject({ code: 'not_found' });
});

test('names of live service accounts and addresses of live users are unique in an organization, in any case', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organizationId = await makeOrganization(db, 'acme');
  const change = <Result>(write: (change: Change) => Promise<Result>) => changeOf(db, organizationId, write);
  await change((each) => createServiceAccount(each, { name: 'batch' }));
  await expect(change((each) => createServiceAccount(each, { name: 'Batch' }))).rejects.toMatchObject({ code: 'name_taken' });
  await change((each) => createUser(each, { email: 'ada@example.org', name: 'Ada' }));
  await expect(change((each) => createUser(each, { email: 'ADA@example.org', name: 'Ada' }))).rejects.toMatchObject({ code: 'name_taken' });
  await expect(change((each) => createUser(each, { email: 'ada', name: 'Ada' }))).rejects.toMatchObject({ code: 'invalid' });
});

test('no audit event, which is for ever, holds who a user is', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organizationId = await makeOrganization(db, 'acme');
  const change = <Result>(write: (change: Change) => Promise<Result>) => changeOf(db, organizationId, write);
  const { user } = await change((each) => createUser(each, { email: 'ada@example.org', name: 'Ada Lovelace' }));
  await change((each) => updateUser(each, { id: user.id, expectedVersion: 1, email: 'countess@example.org' }));
  const events = await db.selectFrom('audit_events').selectAll().where('action', 'like', 'user.%').orderBy('id').execute();
  expect(events.map(({ action, changes }) => [action, changes])).toMatchObject([
    ['user.create', [{ field: 'email' }, { field: 'name' }]],
    ['user.update', [{ field: 'email', to: 'withheld' }]],
  ]);
  const text = events.map((event) => `${JSON.stringify(event.changes)}${JSON.stringify(event.targets)}${event.body.toString()}`).join();
  // Not the bare first name: three letters are in a random id now and then.
  expect(text).not.toMatch(/ada@|ada l|example\.org|lovelace|countess/i);
});
