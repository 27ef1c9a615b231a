import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createSnapshotMemory, readSnapshot } from '../../../services/registry/read-snapshot.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { makeOrganization } from '../../harness/registry.ts';

/** More than one turn reads the digests of, and more than one turn reads. */
const KEYS = 1_100;

test('a snapshot that is read again has what changed, and of the rest the very same objects', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organization = await makeOrganization(db, 'acme');
  const run = (text: string) => database.owner.execute(text.replaceAll('$org', `'${organization}'::uuid`));
  const uuid = "('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid";
  await run(`insert into service_accounts (id, organization_id, name, created_at, updated_at)
    select ${uuid}, $org, 's' || n, now(), now() from generate_series(1, 2) n`);
  await run(`insert into api_keys (id, organization_id, service_account_id, kind, environment, name, created_at, updated_at)
    select ${uuid}, $org, case when n = 5 then '00000000-0000-7000-8000-000000000001'::uuid end, case when n = 5 then 'sa' else 'ak' end,
      'live', 'k' || n, now(), now() from generate_series(1, ${KEYS}) n`);
  await run(`insert into api_key_secrets (id, api_key_id, hash, hash_version, display, created_at)
    select ${uuid}, ${uuid}, sha256(n::text::bytea), 1, 'tpk_ak_live_abcdefgh', now() from generate_series(1, ${KEYS}) n`);
  const definition = { selector: [], groupBy: [], limits: [], enforcement: 'enforce', thresholds: [], downgradeTo: null };
  await run(`insert into budgets (id, organization_id, name, definition, created_at, updated_at)
    select ${uuid}, $org, 'b' || n, '${JSON.stringify({ ...definition, onUnpricedModel: 'block', fallbackPrice: null })}', now() - n * interval '1 hour', now()
    from generate_series(1, 3) n`);

  const memory = createSnapshotMemory();
  const first = await readSnapshot(db, memory);
  expect(first.keys.length).toBe(KEYS);
  expect(first.budgets.map(({ id }) => id.at(-1))).toEqual(['3', '2', '1']);

  const key = (n: number) => `id = '00000000-0000-7000-8000-${String(n).padStart(12, '0')}'`;
  await run(`update api_keys set name = 'another' where ${key(1)}`);
  await run(`update api_key_secrets set revoked_at = now() where ${key(2)}`);
  await run(`insert into api_key_secrets (id, api_key_id, hash, hash_version, display, created_at)
    select gen_random_uuid(), id, sha256('second'), 1, 'tpk_ak_live_hgfedcba', now() from api_keys where ${key(3)}`);
  await run(`update api_keys set revoked_at = now() - interval '2 days' where ${key(4)}`);
  await run('update service_accounts set disabled_at = now()');
  await run(`update budgets set archived_at = now() where ${key(2)}`);
  await run(`update budgets set definition = jsonb_set(definition, '{enforcement}', '"audit"') where ${key(3)}`);

  const again = await readSnapshot(db, memory);
  const anew = await readSnapshot(db);
  expect(again).toEqual({ ...anew, readAtMs: again.readAtMs });
  expect(again.keys.length).toBe(KEYS - 1);
  const before = new Set(first.keys);
  expect(again.keys.filter((each) => !before.has(each)).map(({ name }) => name)).toEqual(
    expect.arrayContaining(['another', 'k2', 'k3', 'k5']),
  );
  expect(again.keys.filter((each) => before.has(each)).length).toBe(KEYS - 5);
  expect(again.budgets.map((budget) => first.budgets.includes(budget))).toEqual([false, true]);

  await sql`update api_keys set name = name || '!'`.execute(database.owner.db);
  expect((await readSnapshot(db, memory)).keys.every(({ name }) => name.endsWith('!'))).toBe(true);
});
