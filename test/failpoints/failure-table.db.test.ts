import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { expect, inject, test } from 'vitest';
import type { LogRecord } from '../../schema/events/log-record.ts';
import { REQUESTS_TOPIC } from '../../schema/events/topics.ts';
import { embeddedPlaces } from '../../services/eventlog/embedded/places.ts';
import { createEmbeddedProducer } from '../../services/eventlog/embedded/producer.ts';
import { startEmbeddedPostgres } from '../../services/runtime/embedded-postgres.ts';
import { embeddedAdministrator } from '../../services/runtime/embedded-postgres-data.ts';
import { migrate, readMigrations } from '../../services/runtime/migrate.ts';
import { createDatabase } from '../../services/runtime/postgres.ts';
import { readRequestIds } from '../e2e/ledger-rows.ts';
import { createTraffic } from '../e2e/traffic.ts';
import type { Variables } from '../harness/cluster-process.ts';
import { startDatabaseLink } from '../harness/database-link.ts';
import { runningPostgres } from '../harness/end-home.ts';
import { eventually } from '../harness/eventually.ts';
import type { MortalProcess } from '../harness/mortal-process.ts';
import { launchMortal } from '../harness/mortal-process.ts';
import type { TestDatabase } from '../harness/postgres.ts';
import { createTestDatabase, databaseUrl } from '../harness/postgres.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { createTemporaryHome } from '../harness/temporary-home.ts';
import { addTestPrice } from '../services/ledger/settled-records.ts';
import { countEntries, expectBooks, settledRecords } from './booked-records.ts';
import { consent, createInstallation } from './installation.ts';

/** How long a process may take to start or to come to a failpoint. */
const lifeMs = 90_000;

test('row 3, killed after the log took a batch and before that was noted: it is sent again, dropped by its ids, and counted', {
  timeout: 600_000,
}, async () => {
  await using installation = await createInstallation();
  const ledger = installation.launch('ledger');
  const proxy = installation.launch('proxy', 'proxy.producer.appended=kill@2');
  const ledgerUrl = await ledger.ready;
  await proxy.ready;
  const traffic = createTraffic(installation.endpoints, 0);
  const ids: string[] = [];
  // One plain request after the other, until it dies under them.
  for (let answered = true; answered; ) {
    const { kind, requestId } = await traffic.send(0);
    answered = kind === 'answered' && requestId !== null;
    if (requestId !== null) ids.push(requestId);
  }
  expect(await proxy.ended).toBe('SIGKILL');
  expect(await installation.launch('proxy').ready).not.toBeNull();
  // Of the same key, hence of the same partition: whatever was sent again came before it.
  ids.push((await createTraffic(installation.endpoints).send(0)).requestId ?? '');
  const booked = await eventually(async () => {
    const found = await readRequestIds(installation.database.owner);
    return ids.every((id) => found.has(id)) ? found : null;
  }, lifeMs);
  // At most the one under way when it died was told to nobody.
  expect(booked.size - ids.length).toBeLessThanOrEqual(1);
  expect(await countEntries(installation.database)).toBe(booked.size);
  expect(await metricsOf(ledgerUrl)).toMatch(/^turnpike_ledger_duplicates_total\S* [1-9]\d*$/m);
});

test('row 9, the reply to COMMIT is lost: what was committed is found there and not booked again', { timeout: 600_000 }, async () => {
  await using database = await createTestDatabase();
  const home = await temporaryFolder();
  const { url, faults: wire } = await startDatabaseLink(database.url);
  await addTestPrice(database.writer.db);
  // Frozen with everything written and COMMIT not sent: the next answer of the server is the one to COMMIT.
  const ledger = launchLedger(home, url, 'ledger.books.offsets=pause');
  try {
    expect(await ledger.ready).not.toBeNull();
    await append(home, settledRecords(60));
    await eventually(() => ledger.output().includes('failpoint ledger.books.offsets: pause'), lifeMs);
    expect(await countEntries(database)).toBe(0);
    wire.cutAfter(0);
    ledger.signal('SIGCONT');
    await eventually(async () => wire.cuts() > 0 && (await countEntries(database)) > 0, lifeMs);
    wire.heal();
    await append(home, settledRecords(60));
    await eventually(() => expectBooks(database, 120).then(() => true), lifeMs);
    expect(ledger.output()).toContain('a batch failed and will be run again');
    expect(ledger.hasEnded()).toBe(false);
  } finally {
    await end(ledger);
    await wire.close();
  }
});

test('row 10, PostgreSQL is stopped without warning again and again: the ledger waits for it, and books on', {
  timeout: 600_000,
}, async () => {
  const temporary = await createTemporaryHome();
  const { path: home } = temporary;
  // As root PostgreSQL runs under another user, who has to get in.
  await mkdir(home, { mode: 0o711 });
  let server = await startEmbeddedPostgres({ home });
  const url = (): string => server.url(embeddedAdministrator, 'postgres');
  const connect = () =>
    createDatabase({ url: url(), role: 'login', applicationName: 'turnpike-test', poolSize: 1, onConnectionError: () => {} });
  let owner = connect();
  await migrate({ db: owner.db, migrations: await readMigrations() });
  await addTestPrice(owner.db);
  const ledger = launchLedger(home, url());
  try {
    expect(await ledger.ready).not.toBeNull();
    let appended = 0;
    for (let stops = 0; stops < 3; stops++) {
      await append(home, settledRecords(40));
      appended += 40;
      // In the middle of a batch, or of a round of the sequencer.
      await eventually(async () => (await countEntries({ owner })) > appended - 40, lifeMs);
      await append(home, settledRecords(40));
      appended += 40;
      const running = await runningPostgres(home);
      process.kill(running?.pid ?? 0, 'SIGQUIT');
      await owner.close();
      await eventually(async () => (await runningPostgres(home)) === null, lifeMs);
      server = await startEmbeddedPostgres({ home });
      owner = connect();
    }
    await eventually(() => expectBooks({ owner }, appended).then(() => true), lifeMs);
    expect(ledger.hasEnded()).toBe(false);
    ledger.signal('SIGTERM');
    expect(await ledger.ended).toBe(0);
  } finally {
    await end(ledger);
    await owner.close();
    await temporary.remove();
  }
});

test('row 18, an old backup of the database is restored: the ledger reads on from where the backup stood, to the same books', {
  timeout: 600_000,
}, async () => {
  await using database = await createTestDatabase();
  await addTestPrice(database.writer.db);
  const home = await temporaryFolder();
  const inOneLife = async (url: string, work: () => Promise<void>): Promise<void> => {
    const ledger = launchLedger(home, url);
    try {
      expect(await ledger.ready).not.toBeNull();
      await work();
    } finally {
      ledger.signal('SIGTERM');
      expect(await ledger.ended).toBe(0);
    }
  };
  const backup = `turnpike_test_backup_${randomBytes(6).toString('hex')}`;
  const restoredUrl = databaseUrl(database.url, backup);
  const restored = createDatabase({ url: restoredUrl, role: 'login', applicationName: 'turnpike-test', poolSize: 1 });
  try {
    await inOneLife(database.url, async () => {
      await append(home, settledRecords(60));
      await eventually(() => expectBooks(database, 60).then(() => true), lifeMs);
    });
    // Only a database that nobody is connected to can be copied.
    await onServer(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${new URL(database.url).pathname.slice(1)}'`,
    );
    await onServer(`create database ${backup} template ${new URL(database.url).pathname.slice(1)}`);
    await inOneLife(database.url, async () => {
      await append(home, settledRecords(60));
      await eventually(() => expectBooks(database, 120).then(() => true), lifeMs);
    });
    await inOneLife(restoredUrl, async () => {
      await eventually(() => expectBooks({ owner: restored }, 120).then(() => true), lifeMs);
    });
    const before = await readPositions(database);
    const after = await readPositions({ owner: restored });
    // What the backup held has the places it had; the rest has places again, perhaps others.
    expect(after.slice(0, 60)).toEqual(before.slice(0, 60));
    expect(new Set(after.map(({ item_id }) => item_id))).toEqual(new Set(before.map(({ item_id }) => item_id)));
  } finally {
    await restored.close();
    await onServer(`drop database if exists ${backup} with (force)`);
  }
});

function launchLedger(home: string, url: string, failpoints?: string): MortalProcess {
  const variables: Variables = { DATABASE_URL: url, TURNPIKE_HOME: home, TURNPIKE_EVENT_LOG: 'embedded' };
  return launchMortal('ledger', failpoints === undefined ? variables : { ...variables, TURNPIKE_FAILPOINTS: failpoints, ...consent });
}

async function end(process: MortalProcess): Promise<void> {
  process.signal('SIGKILL');
  await process.ended;
}

/** Appends as a spool's sender does: the same batch again until it is acknowledged. */
async function append(home: string, batch: readonly LogRecord[]): Promise<void> {
  const producer = createEmbeddedProducer({ socketPath: embeddedPlaces(home).socketPath, topics: [REQUESTS_TOPIC] });
  try {
    await eventually(() => producer.append(REQUESTS_TOPIC, batch).then(() => true), lifeMs);
  } finally {
    await producer.close();
  }
}

function readPositions({ owner }: Pick<TestDatabase, 'owner'>) {
  return owner.db.selectFrom('journal_positions').select(['position', 'item_id']).orderBy('position').execute();
}

async function metricsOf(url: string | null): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

/** A statement about databases, from none of them. */
async function onServer(statement: string): Promise<void> {
  const server = createDatabase({ url: inject('postgresUrl'), role: 'login', applicationName: 'turnpike-test', poolSize: 1 });
  try {
    await server.execute(statement);
  } finally {
    await server.close();
  }
}
