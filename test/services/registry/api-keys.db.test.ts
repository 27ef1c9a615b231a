import { expect, test } from 'vitest';
import { findPrincipal } from '../../../services/registry/admin-access.ts';
import { createApiKey, revokeApiKey, rotateApiKey, updateApiKey } from '../../../services/registry/api-keys.ts';
import { readRevision, readSnapshot } from '../../../services/registry/read-snapshot.ts';
import { archiveTeam, createTeam } from '../../../services/registry/teams.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { changeOf, makeOrganization, testSecrets } from '../../harness/registry.ts';

const settings = { name: 'checkout', teamId: null, allowedModels: null, tags: { app: 'shop' }, metadata: {}, expiresAt: null } as const;
const modelKey = { ...settings, kind: 'ak', environment: 'live', permissions: [] } as const;

test('a created key is known by its secret, and nothing stored gives the secret away', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organization = await makeOrganization(db, 'acme');
  const { key, secret } = await changeOf(db, organization, (change) => createApiKey(change, modelKey, testSecrets));
  expect(await findPrincipal(db, secret, testSecrets, Date.now())).toMatchObject({
    kind: 'known',
    apiKeyId: key.id,
    organizationId: organization,
  });
  const everything = JSON.stringify([
    await db.selectFrom('api_keys').selectAll().execute(),
    await db.selectFrom('api_key_secrets').selectAll().execute(),
    (await db.selectFrom('audit_events').selectAll().execute()).map((event) => event.body.toString()),
    await readSnapshot(db),
  ]);
  expect(everything).not.toContain(secret);
  expect(everything).not.toContain(secret.slice(20, -6));
});

test('after a rotation the old secret lives for its grace, and never do more than two live', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organization = await makeOrganization(db, 'acme');
  const created = await changeOf(db, organization, (change) => createApiKey(change, modelKey, testSecrets));
  const rotate = () => changeOf(db, organization, (change) => rotateApiKey(change, { id: created.key.id, graceMs: 60_000 }, testSecrets));
  const first = await rotate();
  const lookUp = async (secret: string, inMs = 0) => (await findPrincipal(db, secret, testSecrets, Date.now() + inMs)).kind;
  expect([await lookUp(created.secret), await lookUp(first.secret)]).toEqual(['known', 'known']);
  expect([await lookUp(created.secret, 61_000), await lookUp(first.secret, 61_000)]).toEqual(['expired', 'known']);
  const second = await rotate();
  expect([await lookUp(created.secret, 1), await lookUp(first.secret), await lookUp(second.secret)]).toEqual(['expired', 'known', 'known']);
});

test('a rotation never lengthens the grace of the secret before', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organization = await makeOrganization(db, 'acme');
  const created = await changeOf(db, organization, (change) => createApiKey(change, modelKey, testSecrets));
  const first = await changeOf(db, organization, (change) => rotateApiKey(change, { id: created.key.id, graceMs: 1_000 }, testSecrets));
  await changeOf(db, organization, (change) => rotateApiKey(change, { id: created.key.id, graceMs: 86_400_000 }, testSecrets));
  expect((await findPrincipal(db, created.secret, testSecrets, Date.now() + 2_000)).kind).toBe('expired');
  expect((await findPrincipal(db, first.secret, testSecrets, Date.now() + 2_000)).kind).toBe('known');
});

test('a revoked key is refused by its own name, stays in the snapshot as revoked, and cannot be changed', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organization = await makeOrganization(db, 'acme');
  const { key, secret } = await changeOf(db, organization, (change) => createApiKey(change, modelKey, testSecrets));
  await changeOf(db, organization, (change) => revokeApiKey(change, { id: key.id, reason: 'left the company' }));
  expect((await findPrincipal(db, secret, testSecrets, Date.now())).kind).toBe('revoked');
  expect((await readSnapshot(db)).keys).toMatchObject([{ revokedAt: expect.any(Number) }]);
  await expect(
    changeOf(db, organization, (change) => updateApiKey(change, { id: key.id, expectedVersion: 2, name: 'x' })),
  ).rejects.toMatchObject({
    code: 'already_revoked',
  });
});

test('an update of a version that is gone is refused and changes nothing', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organization = await makeOrganization(db, 'acme');
  const { key } = await changeOf(db, organization, (change) => createApiKey(change, modelKey, testSecrets));
  await changeOf(db, organization, (change) => updateApiKey(change, { id: key.id, expectedVersion: 1, name: 'first' }));
  const before = await readRevision(db);
  await expect(
    changeOf(db, organization, (change) => updateApiKey(change, { id: key.id, expectedVersion: 1, name: 'second' })),
  ).rejects.toMatchObject({
    code: 'version_conflict',
  });
  expect(await readRevision(db)).toBe(before);
  expect((await readSnapshot(db)).keys[0]?.name).toBe('first');
});

test('a key of another organization does not exist', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const [mine, theirs] = [await makeOrganization(db, 'mine'), await makeOrganization(db, 'theirs')];
  const { key } = await changeOf(db, theirs, (change) => createApiKey(change, modelKey, testSecrets));
  const refused = { code: 'not_found' };
  await expect(changeOf(db, mine, (change) => revokeApiKey(change, { id: key.id, reason: null }))).rejects.toMatchObject(refused);
  await expect(changeOf(db, mine, (change) => rotateApiKey(change, { id: key.id, graceMs: 0 }, testSecrets))).rejects.toMatchObject(
    refused,
  );
  const { team } = await changeOf(db, theirs, (change) => createTeam(change, { name: 'Payments' }));
  await expect(changeOf(db, mine, (change) => createApiKey(change, { ...modelKey, teamId: team.id }, testSecrets))).rejects.toMatchObject(
    refused,
  );
});

test('every write leaves one audit event and one step of the revision; a failed one leaves neither', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organization = await makeOrganization(db, 'acme');
  const counts = async () => ({
    revision: Number(await readRevision(db)),
    events: Number(
      (
        await db
          .selectFrom('audit_events')
          .select((x) => x.fn.countAll<bigint>().as('n'))
          .executeTakeFirstOrThrow()
      ).n,
    ),
  });
  const before = await counts();
  const { team } = await changeOf(db, organization, (change) => createTeam(change, { name: 'Payments' }));
  await changeOf(db, organization, (change) => createApiKey(change, { ...modelKey, teamId: team.id }, testSecrets));
  await changeOf(db, organization, (change) => archiveTeam(change, { id: team.id, expectedVersion: 1 }));
  await expect(changeOf(db, organization, (change) => archiveTeam(change, { id: team.id, expectedVersion: 2 }))).rejects.toMatchObject({
    code: 'archived',
  });
  expect(await counts()).toEqual({ revision: before.revision + 3, events: before.events + 3 });
});

test('two live teams of an organization cannot share a name in any case; an archived name is free again', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organization = await makeOrganization(db, 'acme');
  const { team } = await changeOf(db, organization, (change) => createTeam(change, { name: 'Payments' }));
  await expect(changeOf(db, organization, (change) => createTeam(change, { name: 'PAYMENTS' }))).rejects.toMatchObject({
    code: 'name_taken',
    path: ['name'],
  });
  await changeOf(db, organization, (change) => archiveTeam(change, { id: team.id, expectedVersion: 1 }));
  await changeOf(db, organization, (change) => createTeam(change, { name: 'payments' }));
});
