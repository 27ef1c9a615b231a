import type { Kysely } from 'kysely';
import { expect, test } from 'vitest';
import type { Database } from '../../../schema/tables/database.ts';
import { findPrincipal } from '../../../services/registry/admin-access.ts';
import { createApiKey, replaceSecret, rotateApiKey, updateApiKey } from '../../../services/registry/api-keys.ts';
import type { Change } from '../../../services/registry/change.ts';
import { tellDueRotation } from '../../../services/registry/key-rotation.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { changeOf, makeOrganization, testSecrets } from '../../harness/registry.ts';

const dayMs = 86_400_000;
const start = Date.UTC(2026, 0, 31, 12);
const settings = { name: 'app', teamId: null, allowedModels: null, tags: {}, metadata: {}, expiresAt: null } as const;
const scheduled = {
  ...settings,
  kind: 'ak',
  environment: 'live',
  permissions: [],
  rotateEveryMs: 30 * dayMs,
  rotateWithinMs: 7 * dayMs,
} as const;

/** An organization at a time that the test decides. */
async function installation(db: Kysely<Database>) {
  const organization = await makeOrganization(db, 'acme');
  let days = 0;
  const clock = { now: () => start + days * dayMs, monotonic: () => days * dayMs };
  const by = { clock, random: systemRandom };
  const change = <Result>(write: (change: Change) => Promise<Result>) => changeOf(db, organization, (each) => write({ ...each, clock }));
  return {
    by,
    at: (day: number) => {
      days = day;
    },
    make: (fields: object = {}) => change((each) => createApiKey(each, { ...scheduled, ...fields }, testSecrets)),
    rotate: (id: string, graceMs = dayMs) => change((each) => rotateApiKey(each, { id, graceMs }, testSecrets)),
    update: async (id: string, fields: object) => {
      const { version } = await db.selectFrom('api_keys').select('version').where('id', '=', id).executeTakeFirstOrThrow();
      return (await change((each) => updateApiKey(each, { id, expectedVersion: version, ...fields }))).key;
    },
    change,
    known: async (secret: string) => (await findPrincipal(db, secret, testSecrets, clock.now())).kind,
    tellAll: async () => {
      let told = 0;
      while (await tellDueRotation(db, by)) told += 1;
      return told;
    },
    told: async () => (await db.selectFrom('audit_events').select('id').where('action', '=', 'api_key.rotation_due').execute()).length,
  };
}

const on = (day: number): Date => new Date(start + day * dayMs);

test('a secret ends when its rotation is as late as the schedule waits, and not a moment before', async () => {
  await using database = await createTestDatabase();
  const { at, make, rotate, known } = await installation(database.writer.db);
  const made = await make();
  expect(made.key.rotation_due_at).toEqual(on(30));
  at(36.999);
  expect(await known(made.secret)).toBe('known');
  at(37);
  expect(await known(made.secret)).toBe('expired');
  // The key itself is not over: with the next secret it works, from now on.
  const rotated = await rotate(made.key.id);
  expect(rotated.key.rotation_due_at).toEqual(on(67));
  expect([await known(made.secret), await known(rotated.secret)]).toEqual(['expired', 'known']);
});

test('a rotation in time has its grace, one at the last moment none beyond the schedule', async () => {
  await using database = await createTestDatabase();
  const { at, make, rotate, known } = await installation(database.writer.db);
  const { key, secret: first } = await make();
  at(31);
  const second = await rotate(key.id);
  expect(second.key.rotation_due_at).toEqual(on(61));
  at(31.999);
  expect(await known(first)).toBe('known');
  at(32);
  expect(await known(first)).toBe('expired');
  at(67.5);
  const third = await rotate(key.id);
  at(67.999);
  expect([await known(second.secret), await known(third.secret)]).toEqual(['known', 'known']);
  at(68);
  expect([await known(second.secret), await known(third.secret)]).toEqual(['expired', 'known']);
});

test('a rotation that is due is told once, by one of many, again after one who died over it, and again when the next is due', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const { at, by, make, rotate, tellAll, told } = await installation(db);
  const keys = [
    await make(),
    await make(),
    await make(),
    await make({ rotateEveryMs: 40 * dayMs }),
    await make({ rotateEveryMs: null, rotateWithinMs: null }),
  ];
  at(29.999);
  expect(await tellAll()).toBe(0);
  at(30);
  const bytes = () => {
    throw new Error('gone');
  };
  await expect(tellDueRotation(db, { ...by, random: { ...systemRandom, bytes } })).rejects.toThrow('gone');
  const counts = await Promise.all([tellAll(), tellAll(), tellAll()]);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(3);
  expect(await told()).toBe(3);
  await rotate(keys[0]?.key.id ?? '');
  at(45);
  expect(await tellAll()).toBe(1);
  at(60);
  expect(await tellAll()).toBe(1);
  expect(await told()).toBe(5);
});

test('a key that cannot be used is not due until it can', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const { at, make, update, tellAll } = await installation(db);
  const { key } = await make({ rotateWithinMs: null });
  const expiring = await make({ expiresAt: on(20) });
  await update(key.id, { disabled: true });
  at(31);
  expect(await tellAll()).toBe(0);
  await update(key.id, { disabled: false });
  expect(await tellAll()).toBe(1);
  await update(expiring.key.id, { expiresAt: null });
  expect(await tellAll()).toBe(1);
});

test('a schedule that is set later counts from the secret there is, and takes none away without its time', async () => {
  await using database = await createTestDatabase();
  const { at, make, update, known, tellAll } = await installation(database.writer.db);
  const { key, secret } = await make({ rotateEveryMs: null, rotateWithinMs: null });
  expect(key.rotation_due_at).toBeNull();
  at(100);
  expect((await update(key.id, { rotateEveryMs: 30 * dayMs })).rotation_due_at).toEqual(on(30));
  expect(await tellAll()).toBe(1);
  await update(key.id, { rotateWithinMs: 2 * dayMs });
  // The same moment is not due twice.
  expect(await tellAll()).toBe(0);
  at(101.999);
  expect(await known(secret)).toBe('known');
  await update(key.id, { rotateEveryMs: 90 * dayMs });
  at(103.999);
  expect(await known(secret)).toBe('expired');
  // Nothing wakes a secret that has ended.
  expect((await update(key.id, { rotateEveryMs: null })).rotate_within_seconds).toBeNull();
  expect(await known(secret)).toBe('expired');
});

test('taking the schedule away in time leaves a secret without an end', async () => {
  await using database = await createTestDatabase();
  const { at, make, update, known, tellAll } = await installation(database.writer.db);
  const { key, secret } = await make();
  at(36);
  await update(key.id, { rotateEveryMs: null });
  at(1_000);
  expect(await known(secret)).toBe('known');
  expect(await tellAll()).toBe(0);
});

test('a secret that replaces all others starts its own time', async () => {
  await using database = await createTestDatabase();
  const { db } = database.writer;
  const { at, make, change, known } = await installation(db);
  const { key } = await make();
  at(35);
  const secret = await change((each) => replaceSecret(each, key, testSecrets));
  expect(await db.selectFrom('api_keys').select('rotation_due_at').where('id', '=', key.id).executeTakeFirst()).toEqual({
    rotation_due_at: on(65),
  });
  at(71.999);
  expect(await known(secret)).toBe('known');
  at(72);
  expect(await known(secret)).toBe('expired');
});
