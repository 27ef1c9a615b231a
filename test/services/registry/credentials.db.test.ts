import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { Database } from '../../../schema/tables/database.ts';
import { idFromUuid } from '../../../schema/values/ids.ts';
import type { Change } from '../../../services/registry/change.ts';
import {
  archiveCredential,
  createCredential,
  readCredentialSecret,
  recordVerification,
  renameCredential,
  rotateCredential,
} from '../../../services/registry/credentials.ts';
import { createProvider } from '../../../services/registry/providers.ts';
import { readSnapshot } from '../../../services/registry/read-snapshot.ts';
import { SealError } from '../../../services/registry/sealing.ts';
import { deriveSecrets } from '../../../services/runtime/secrets.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { changeOf, makeOrganization, testSecrets } from '../../harness/registry.ts';

const secret = 'sk-live-Zm9vYmFyYmF6cXV4-wxyz';
const next = 'sk-live-c2Vjb25kc2VjcmV0-4321';

async function setUp(db: Kysely<Database>, slug = 'first') {
  const organizationId = await makeOrganization(db, slug);
  const change = <Result>(write: (change: Change) => Promise<Result>) => changeOf(db, organizationId, write);
  const { provider } = await change((each) =>
    createProvider(each, { name: 'acme', protocol: 'openai', baseUrl: 'https://acme.example/v1', options: {} }),
  );
  const { credential } = await change((each) => createCredential(each, { providerId: provider.id, name: 'main', secret }, testSecrets));
  const read = () => change((each) => readCredentialSecret(each, { id: credential.id }, testSecrets));
  return { organizationId, change, provider, credential, read };
}

/** Every row of every table, as text, with bytes as hex and as what they may spell. */
async function everythingStored(db: Kysely<Database>): Promise<string> {
  const { rows: tables } = await sql<{ name: string }>`select tablename as name from pg_tables where schemaname = 'public'`.execute(db);
  const parts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(name)}`.execute(db);
    parts.push(
      JSON.stringify(rows, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
      ...rows.flatMap((row) => Object.values(row).map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : ''))),
    );
  }
  return parts.join('\n');
}

test('a credential can be used and shows four characters; its plaintext is stored nowhere', async () => {
  await using database = await createTestDatabase();
  const { db } = database.owner;
  const { change, credential, provider, read } = await setUp(db);
  expect(credential).toMatchObject({ hint: 'wxyz', version: 1, verified_at: null });
  expect(credential).not.toHaveProperty('sealed');
  expect(await read()).toMatchObject({ secret, provider: { id: provider.id } });
  await change((each) => rotateCredential(each, { id: credential.id, expectedVersion: 1, secret: next }, testSecrets));
  const stored = `${await everythingStored(db)}\n${JSON.stringify(await readSnapshot(db))}`;
  for (const text of [secret, next]) {
    for (const spelled of [text, Buffer.from(text).toString('base64'), Buffer.from(text).toString('hex'), text.slice(4, -4)]) {
      expect(stored.includes(spelled)).toBe(false);
    }
  }
});

test('of a short secret nothing is shown', async () => {
  await using database = await createTestDatabase();
  const { change, provider } = await setUp(database.writer.db);
  const { credential } = await change((each) =>
    createCredential(each, { providerId: provider.id, name: 'short', secret: 'abcd1234' }, testSecrets),
  );
  expect(credential.hint).toBe('');
});

test('a rotation replaces the secret, forgets what was verified of the old one and is refused on an old version', async () => {
  await using database = await createTestDatabase();
  const { change, credential, read } = await setUp(database.writer.db);
  const { id } = credential;
  const failed = await change((each) => recordVerification(each, { id, error: 'the provider answered 401' }));
  expect(failed.credential).toMatchObject({ verify_error: 'the provider answered 401', version: 1 });
  expect(failed.credential.verified_at).not.toBeNull();
  const rotated = await change((each) => rotateCredential(each, { id, expectedVersion: 1, secret: next }, testSecrets));
  expect(rotated.credential).toMatchObject({ hint: '4321', version: 2, verified_at: null, verify_error: null });
  expect((await read()).secret).toBe(next);
  await expect(change((each) => rotateCredential(each, { id, expectedVersion: 1, secret }, testSecrets))).rejects.toMatchObject({
    code: 'version_conflict',
  });
  const verified = await change((each) => recordVerification(each, { id, error: null }));
  expect(verified.credential.verify_error).toBeNull();
});

test('an archived credential is erased, and its name is free again', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const { change, credential, provider, read } = await setUp(db);
  const { id } = credential;
  await change((each) => renameCredential(each, { id, expectedVersion: 1, name: 'old' }));
  await change((each) => archiveCredential(each, { id, expectedVersion: 2 }));
  expect((await db.selectFrom('provider_credentials').select('sealed').executeTakeFirstOrThrow()).sealed.length).toBe(0);
  await expect(read()).rejects.toMatchObject({ code: 'not_found' });
  await expect(change((each) => rotateCredential(each, { id, expectedVersion: null, secret }, testSecrets))).rejects.toMatchObject({
    code: 'archived',
  });
  await change((each) => createCredential(each, { providerId: provider.id, name: 'old', secret }, testSecrets));
  await expect(
    change((each) => createCredential(each, { providerId: provider.id, name: 'OLD', secret }, testSecrets)),
  ).rejects.toMatchObject({ code: 'name_taken' });
});

test('a secret that no header can carry is refused without being quoted', async () => {
  await using database = await createTestDatabase();
  const { change, provider } = await setUp(database.writer.db);
  for (const bad of ['', 'sk with space', 'sk-\r\nx: y', 'sk-\u00e9', 's'.repeat(4_097)]) {
    const refused = await change((each) => createCredential(each, { providerId: provider.id, name: 'bad', secret: bad }, testSecrets)).then(
      () => null,
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({ code: 'invalid', path: ['secret'] });
    if (bad !== '') expect(String(refused)).not.toContain(bad);
  }
});

test('a ciphertext opens only in its own row, for its own provider, organization and installation, and unaltered', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const { change, credential, provider, read, organizationId } = await setUp(db);
  const kept = await db.selectFrom('provider_credentials').selectAll().where('id', '=', credential.id).executeTakeFirstOrThrow();
  const put = (values: { sealed?: Buffer; data_key_id?: string }) =>
    db.updateTable('provider_credentials').set(values).where('id', '=', credential.id).execute();
  const refusal = async (): Promise<SealError> => {
    const error = await read().then(
      () => null,
      (caught: unknown) => caught,
    );
    if (!(error instanceof SealError)) throw new Error(`not refused: ${String(error)}`);
    expect(error.message).toContain(idFromUuid('providerCredential', credential.id));
    expect(error.message).not.toContain(secret);
    return error;
  };

  for (let index = 0; index < kept.sealed.length; index++) {
    const altered = Buffer.from(kept.sealed);
    altered.writeUInt8(altered.readUInt8(index) ^ 1, index);
    await put({ sealed: altered });
    await refusal();
  }
  await put({ sealed: kept.sealed.subarray(0, 20) });
  await refusal();

  const sibling = await change((each) => createCredential(each, { providerId: provider.id, name: 'b', secret: next }, testSecrets));
  const elsewhere = await db
    .selectFrom('provider_credentials')
    .selectAll()
    .where('id', '=', sibling.credential.id)
    .executeTakeFirstOrThrow();
  await put({ sealed: elsewhere.sealed });
  await refusal();
  await put({ sealed: kept.sealed });
  expect((await read()).secret).toBe(secret);

  const other = await setUp(db, 'second');
  const foreign = await db.selectFrom('provider_credentials').selectAll().where('id', '=', other.credential.id).executeTakeFirstOrThrow();
  await put({ sealed: foreign.sealed, data_key_id: foreign.data_key_id });
  await expect(read()).rejects.toMatchObject({ code: 'not_found' });
  await put({ sealed: kept.sealed, data_key_id: kept.data_key_id });
  await expect(
    changeOf(db, other.organizationId, (each) => readCredentialSecret(each, { id: credential.id }, testSecrets)),
  ).rejects.toMatchObject({ code: 'not_found' });
  const stranger = deriveSecrets(Buffer.alloc(32, 8));
  await expect(changeOf(db, organizationId, (each) => readCredentialSecret(each, { id: credential.id }, stranger))).rejects.toBeInstanceOf(
    SealError,
  );
});

test('the reader cannot select a ciphertext or a data key, whatever it asks', async () => {
  await using database = await createTestDatabase();
  await setUp(database.writer.db);
  const { db } = database.reader;
  await expect(db.selectFrom('provider_credentials').select('sealed').execute()).rejects.toThrow(/permission denied/);
  await expect(db.selectFrom('provider_credentials').select('data_key_id').execute()).rejects.toThrow(/permission denied/);
  await expect(db.selectFrom('data_keys').select('id').execute()).rejects.toThrow(/permission denied/);
});
