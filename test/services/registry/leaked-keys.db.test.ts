import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { mintVirtualKey } from '../../../schema/values/virtual-key.ts';
import { createApiKey } from '../../../services/registry/api-keys.ts';
import { applyKeys } from '../../../services/registry/configuration/apply-keys.ts';
import type { TakenReport } from '../../../services/registry/leaked-keys.ts';
import { keepLeakedKeys, takeLeakedKey } from '../../../services/registry/leaked-keys.ts';
import { readRevision } from '../../../services/registry/read-snapshot.ts';
import { systemClock } from '../../../services/runtime/clock.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { changeOf, makeOrganization, testSecrets } from '../../harness/registry.ts';

const settings = { name: 'app', teamId: null, allowedModels: null, tags: {}, metadata: {}, expiresAt: null } as const;
const modelKey = { ...settings, kind: 'ak', environment: 'live', permissions: [] } as const;
const by = { clock: systemClock, random: systemRandom };
const reportOf = (secret: string) => ({ hash: testSecrets.hashKey(secret), source: null, url: null, address: null, userAgent: null });

test('each report is taken once by one of many, and again after one who died over it', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organization = await makeOrganization(db, 'acme');
  const secrets: string[] = [];
  for (let key = 0; key < 6; key++) {
    secrets.push((await changeOf(db, organization, (change) => createApiKey(change, modelKey, testSecrets))).secret);
  }
  const now = new Date();
  expect(await keepLeakedKeys(db, secrets.map(reportOf), now)).toBe(true);
  expect(await keepLeakedKeys(db, secrets.slice(3).map(reportOf), now)).toBe(true);
  // Its audit event gets no id: the transaction ends with it.
  const dying = {
    ...by,
    random: {
      ...systemRandom,
      bytes: () => {
        throw new Error('gone');
      },
    },
  };
  await expect(takeLeakedKey(db, dying)).rejects.toThrow('gone');
  const revision = BigInt(await readRevision(db));

  const takeAll = async (): Promise<TakenReport[]> => {
    const taken: TakenReport[] = [];
    for (let next = await takeLeakedKey(db, by); next.kind !== 'none'; next = await takeLeakedKey(db, by)) taken.push(next);
    return taken;
  };
  const taken = (await Promise.all([takeAll(), takeAll(), takeAll()])).flat();
  expect(taken.map(({ kind }) => kind)).toEqual(secrets.map(() => 'revoked'));
  expect(await db.selectFrom('audit_events').select('id').where('action', '=', 'api_key.leaked').execute()).toHaveLength(6);
  expect(BigInt(await readRevision(db)) - revision).toBe(6n);

  // Handed in once more, it is nobody's news.
  await keepLeakedKeys(db, secrets.slice(0, 1).map(reportOf), now);
  expect([await takeLeakedKey(db, by), await takeLeakedKey(db, by)]).toEqual([{ kind: 'passed' }, { kind: 'none' }]);
});

test('beyond its bound nothing is kept, and the next to hand in is told', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  await sql`insert into leaked_key_reports (hash, reported_at)
    select sha256(i::text::bytea), now() from generate_series(1, 10000) i`.execute(db);
  expect(await keepLeakedKeys(db, [reportOf('x')], new Date())).toBe(false);
  const { count } = await db.selectFrom('leaked_key_reports').select(sql<bigint>`count(*)`.as('count')).executeTakeFirstOrThrow();
  expect(count).toBe(10_000n);
});

test('a configuration file does not bring a secret back that leaked or was replaced, and is told which', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organization = await makeOrganization(db, 'acme');
  const apply = (secret: string) =>
    changeOf(db, organization, (change) => {
      const key = {
        name: 'app',
        secret,
        team: null,
        allowedModels: null,
        allowedEndpoints: null,
        allowedCidrs: null,
        allowedOverrides: null,
      };
      const keys = [{ ...key, tags: {}, metadata: {}, expiresAt: null }];
      return applyKeys(change, { owner: 'file', providers: [], models: [], keys }, testSecrets);
    });
  const [first, second] = [mintVirtualKey('ak', 'live', systemRandom.bytes), mintVirtualKey('ak', 'live', systemRandom.bytes)];
  await apply(first);
  await apply(first);
  await apply(second);
  await expect(apply(first)).rejects.toThrow(/is or was the secret of a key; a secret never comes back/);
  await keepLeakedKeys(db, [reportOf(second)], new Date());
  expect(await takeLeakedKey(db, by)).toMatchObject({ kind: 'revoked' });
  const refusal = await apply(second).catch((error: unknown) => error);
  expect(String(refusal)).toMatch(/was handed in as leaked/);
  expect(String(refusal)).not.toContain(second);
  await apply(mintVirtualKey('ak', 'live', systemRandom.bytes));
});
