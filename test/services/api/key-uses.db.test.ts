import { expect, test } from 'vitest';
import { createKeyUses } from '../../../services/api/key-uses.ts';
import { createApiKey } from '../../../services/registry/api-keys.ts';
import { readRevision } from '../../../services/registry/read-snapshot.ts';
import { createLog } from '../../../services/runtime/log.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { changeOf, makeOrganization, testSecrets } from '../../harness/registry.ts';

test('uses are written together, never backwards, and are no change of the key', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const organizationId = await makeOrganization(db, 'acme');
  const settings = { teamId: null, allowedModels: null, tags: {}, metadata: {}, expiresAt: null, environment: 'live' } as const;
  const make = (name: string) =>
    changeOf(db, organizationId, (change) => createApiKey(change, { ...settings, name, kind: 'adm', permissions: ['*'] }, testSecrets));
  const [one, two] = [(await make('one')).key, (await make('two')).key];
  const revision = await readRevision(db);
  let nowMs = 1_800_000_000_000;
  const clock = { now: () => nowMs, monotonic: () => nowMs };
  const uses = createKeyUses({ db, clock, log: createLog({ name: 'api', level: 'silent' }) });
  const seen = async () =>
    (await db.selectFrom('api_keys').select(['last_used_at', 'version']).orderBy('name').execute()).map((row) => [
      row.last_used_at?.getTime() ?? null,
      row.version,
    ]);
  uses.note(one.id);
  nowMs += 1_000;
  uses.note(one.id);
  await uses.flush();
  expect(await seen()).toEqual([
    [nowMs, 1],
    [null, 1],
  ]);
  nowMs -= 500;
  uses.note(one.id);
  uses.note(two.id);
  await uses.stop();
  expect(await seen()).toEqual([
    [nowMs + 500, 1],
    [nowMs, 1],
  ]);
  expect(await readRevision(db)).toBe(revision);
});
