import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { embeddedPlaces } from '../../services/eventlog/embedded/places.ts';
import { recomputeRollups } from '../../services/ledger/recompute-rollups.ts';
import type { RollupGrain } from '../../services/ledger/rollups.ts';
import { ROLLUP_GRAINS } from '../../services/ledger/rollups.ts';
import { migrate, readMigrations } from '../../services/runtime/migrate.ts';
import type { DatabaseConnection } from '../../services/runtime/postgres.ts';
import { createDatabase } from '../../services/runtime/postgres.ts';
import { parseProcessMessage } from '../../services/runtime/process-messages.ts';
import { isSequenced, readJournalShape, readLedger } from '../e2e/ledger-rows.ts';
import { eventually } from '../harness/eventually.ts';
import { inheritedVariables } from '../harness/inherited-variables.ts';
import { createEmptyDatabase } from '../harness/postgres.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { fixtureMasterKey, fixtureVersions, readFixture } from './fixture.ts';

const dayMs = 86_400_000;

/** A version's database: its migrations, which must still be the same files, and its rows. */
async function restore(version: string): Promise<{ readonly database: DatabaseConnection; readonly url: string }> {
  const { facts, databaseSql } = await readFixture(version);
  const server = await createEmptyDatabase();
  const database = createDatabase({ url: server.url, role: 'login', applicationName: 'turnpike-test', poolSize: 2 });
  onTestFinished(async () => {
    await database.close();
    await server.drop();
  });
  const then = (await readMigrations()).filter(({ name }) => facts.migrations.some((applied) => applied.name === name));
  expect(then.map(({ name, sha256 }) => ({ name, sha256 }))).toEqual(facts.migrations);
  await migrate({ db: database.db, migrations: then });
  await database.execute(databaseSql);
  return { database, url: server.url };
}

/** Rollups against the entries. Only those of days are kept for ever. */
async function expectRollups({ db }: DatabaseConnection, grains: readonly RollupGrain[]): Promise<void> {
  const { first, last } = await db
    .selectFrom('ledger_entries')
    .select(({ fn }) => [fn.min('occurred_at').as('first'), fn.max('occurred_at').as('last')])
    .executeTakeFirstOrThrow();
  const dayOf = (at: Date): number => Math.floor(at.getTime() / dayMs) * dayMs;
  const range = { from: new Date(dayOf(first)), until: new Date(dayOf(last) + dayMs) };
  for (const grain of grains) expect(await recomputeRollups(db, grain, range)).toEqual([]);
}

async function expectDenseJournals(database: DatabaseConnection): Promise<void> {
  const journals = await readJournalShape(database);
  expect(journals.length).toBeGreaterThan(0);
  for (const { positions, ...journal } of journals) expect(journal).toEqual({ first: 0n, last: positions - 1n, items: positions });
}

/** A process of this version. @returns where it listens. */
async function start(kind: 'ledger' | 'proxy', environment: Readonly<Record<string, string>>): Promise<string> {
  const main = fileURLToPath(new URL(`../../services/${kind}/main.ts`, import.meta.url));
  const child: ChildProcess = fork(main, {
    env: { ...inheritedVariables(), TURNPIKE_EVENT_LOG: 'embedded', TURNPIKE_LOG_LEVEL: 'error', ...environment },
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
  const [message] = await once(child, 'message', { signal: AbortSignal.timeout(60_000) });
  const parsed = parseProcessMessage(message);
  if (parsed?.kind !== 'ready') throw new Error(`the ${kind} did not start: ${JSON.stringify(message)}`);
  return parsed.addresses.http ?? '';
}

describe.each(fixtureVersions)('what version %s left', (version) => {
  test('its database migrates up with every entry, rollup and position in its place', async () => {
    const { facts } = await readFixture(version);
    const { database } = await restore(version);
    const before = await readLedger(database);
    await migrate({ db: database.db, migrations: await readMigrations() });
    const after = await readLedger(database);
    expect(after).toEqual(before);
    expect(after.map(({ requestId }) => requestId).sort()).toEqual(facts.posted);
    const known = new Map(facts.log.map((fact) => [fact.requestId, fact]));
    for (const { requestId, cost, outcome } of after) {
      const fact = known.get(requestId);
      expect({ requestId, outcome, cost: cost?.toString() ?? null }).toEqual({ requestId, outcome: fact?.outcome, cost: fact?.costPico });
    }
    await expectRollups(database, ROLLUP_GRAINS);
    await expectDenseJournals(database);
    expect(await isSequenced(database)).toBe(true);
  });

  test('its spool, event log and database are gone on with: each request it knew of is booked once, and its key is still good', {
    timeout: 120_000,
  }, async () => {
    const { facts, folderOf } = await readFixture(version);
    const { database, url } = await restore(version);
    await migrate({ db: database.db, migrations: await readMigrations() });
    const home = await temporaryFolder();
    await cp(folderOf('spool'), join(home, 'proxy', 'spool'), { recursive: true });
    await cp(folderOf('eventlog'), embeddedPlaces(home).directory, { recursive: true });
    const environment = {
      DATABASE_URL: url,
      TURNPIKE_HOME: home,
      TURNPIKE_MASTER_KEY: fixtureMasterKey.toString('base64'),
      TURNPIKE_PROXY_PORT: '0',
    };
    await start('ledger', environment);
    const proxy = await start('proxy', environment);
    const response = await fetch(`${proxy}/v1/models`, { headers: { authorization: `Bearer ${facts.apiKey}` } });
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('sim/echo')]);

    const wanted = [
      ...facts.log.map(({ requestId }) => requestId),
      ...facts.unsent.map(({ requestId }) => requestId),
      ...facts.open,
      response.headers.get('x-request-id'),
    ].sort();
    const ledger = await eventually(async () => {
      const rows = await readLedger(database);
      return rows.length >= wanted.length && (await isSequenced(database)) ? rows : null;
    }, 60_000);
    expect(ledger.map(({ requestId }) => requestId).sort()).toEqual(wanted);
    const booked = new Map(ledger.map((row) => [row.requestId, row]));
    for (const { requestId, outcome, costPico } of [...facts.log, ...facts.unsent]) {
      const row = booked.get(requestId);
      expect({ requestId, outcome: row?.outcome, costPico: row?.cost?.toString() ?? null }).toEqual({ requestId, outcome, costPico });
    }
    for (const requestId of facts.open) expect(booked.get(requestId)).toMatchObject({ outcome: 'orphaned', cost: null });
    expect(await database.db.selectFrom('dead_letters').select('reason').execute()).toEqual([]);
    await expectRollups(database, ['day']);
    await expectDenseJournals(database);
  });
});
