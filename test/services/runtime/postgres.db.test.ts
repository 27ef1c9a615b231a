import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, isTransient, sqlStateOf } from '../../../services/runtime/postgres.ts';
import { startDatabaseLink } from '../../harness/database-link.ts';
import { eventually } from '../../harness/eventually.ts';
import { createTestDatabase, type TestDatabase } from '../../harness/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('numbers come out exact: int8 and whole numerics as bigint, fractions as text, arrays likewise', async () => {
  const { rows } =
    await sql`select 9007199254740993 as "int8", 12345678901234567890123456789012345678::numeric(38, 0) as "whole", (-7)::numeric as "negative",
    1.50::numeric as "fraction", 'NaN'::numeric as "nan", array[1, null]::int8[] as "int8s", array[1, 2.5]::numeric[] as "numerics", 7::int4 as "int4",
    '2026-03-29'::date as "day", 'infinity'::numeric as "infinite"`.execute(database.writer.db);
  expect(rows[0]).toEqual({
    int8: 9007199254740993n,
    whole: 12345678901234567890123456789012345678n,
    negative: -7n,
    fraction: '1.50',
    nan: 'NaN',
    int8s: [1n, null],
    numerics: [1n, '2.5'],
    int4: 7,
    day: '2026-03-29',
    infinite: 'Infinity',
  });
});

test('bigints, dates, buffers and arrays of them go in as they come out', async () => {
  const at = new Date('2026-11-21T07:08:09.123Z');
  const { rows } =
    await sql`select ${12345678901234567890n}::numeric(38, 0) as money, ${at}::timestamptz as at, ${Buffer.from([0, 255])}::bytea as bytes,
    ${[1n, 2n]}::numeric[] as list`.execute(database.writer.db);
  expect(rows[0]).toEqual({ money: 12345678901234567890n, at, bytes: Buffer.from([0, 255]), list: [1n, 2n] });
});

test('every connection is in its role, and comes back to it', async () => {
  for (const role of ['writer', 'reader'] as const) {
    const single = createDatabase({ url: database.url, role, applicationName: 'single', poolSize: 1 });
    const whoAmI = sql`select current_user as name, current_setting('TimeZone') as zone`;
    expect((await whoAmI.execute(single.db)).rows).toEqual([{ name: `turnpike_${role}`, zone: 'UTC' }]);
    await single.execute('set role none');
    await single.execute('reset role');
    expect((await whoAmI.execute(single.db)).rows).toEqual([{ name: `turnpike_${role}`, zone: 'UTC' }]);
    await single.close();
  }
  await expect(database.reader.execute('delete from organizations')).rejects.toSatisfy((error) => sqlStateOf(error) === '42501');
});

test('a statement that takes too long is ended by the server', async () => {
  const hasty = createDatabase({ url: database.url, role: 'reader', applicationName: 'hasty', statementTimeoutMs: 50 });
  await expect(hasty.execute('select pg_sleep(20)')).rejects.toSatisfy((error) => sqlStateOf(error) === '57014');
  await hasty.close();
});

test('statements of a pipeline do not wait for the answers of those before, are done in their order, and commit together', async () => {
  const { url, faults: proxy } = await startDatabaseLink(database.url);
  const far = createDatabase({ url, role: 'login', applicationName: 'far', poolSize: 1 });
  await far.execute('create table steps (step integer primary key, before bigint)');
  proxy.delay(50);
  const startedAt = performance.now();
  const counts = await far.pipeline((statements) =>
    Promise.all(
      Array.from({ length: 40 }, async (_, step) => {
        const { rows } = await sql<{ before: bigint }>`insert into steps select ${step}, (select count(*) from steps)
          returning before`.execute(statements);
        return rows[0]?.before;
      }),
    ),
  );
  // One after the other they would take 4 s at least.
  expect(performance.now() - startedAt).toBeLessThan(2_500);
  expect(counts).toEqual(Array.from({ length: 40 }, (_, step) => BigInt(step)));
  const { rows } = await sql`select count(*) as steps from steps`.execute(far.db);
  expect(rows).toEqual([{ steps: 40n }]);
  await far.execute('drop table steps');
  await far.close();
  await proxy.close();
});

test('a pipeline in which a statement fails leaves nothing, tells the first error, and its connection is good for the next, which no late statement gets into', async () => {
  const single = createDatabase({ url: database.url, role: 'login', applicationName: 'single', poolSize: 1 });
  await single.execute('create table lonely (number integer check (number < 3))');
  const add = (number: number) => sql`insert into lonely values (${number})`;
  const failing = single.pipeline(async (statements) => {
    const answers = await Promise.allSettled([1, 2, 3, 4].map((number) => add(number).execute(statements)));
    const last = answers.at(-1);
    // That the transaction has failed already.
    if (last?.status === 'rejected') throw last.reason;
  });
  await expect(failing).rejects.toSatisfy((error) => sqlStateOf(error) === '23514');
  const ownError = single.pipeline(async (statements) => {
    await add(1).execute(statements);
    throw new Error('on second thoughts');
  });
  await expect(ownError).rejects.toThrow('on second thoughts');
  let late: () => Promise<unknown> = async () => {};
  await single.pipeline(async (statements) => {
    late = () => add(1).execute(statements);
    await add(2).execute(statements);
  });
  await expect(late()).rejects.toThrow('after its transaction');
  expect((await sql`select number from lonely`.execute(single.db)).rows).toEqual([{ number: 2 }]);
  await single.execute('drop table lonely');
  await single.close();
});

test('a listener hears notifications, also after its connection was cut, and is told to look after each connect', async () => {
  const heard: (string | null)[] = [];
  const errors: Error[] = [];
  const listening = createDatabase({
    url: database.url,
    role: 'reader',
    applicationName: 'listening',
    onConnectionError: (error) => errors.push(error),
  });
  listening.listen('ledger "advanced"', (payload) => heard.push(payload));
  await eventually(() => heard.length === 1);
  await sql`select pg_notify('ledger "advanced"', '1')`.execute(database.writer.db);
  await eventually(() => heard.length === 2);
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'listening'`.execute(database.owner.db);
  await eventually(() => heard.length === 3);
  await sql`select pg_notify('ledger "advanced"', '')`.execute(database.writer.db);
  await eventually(() => heard.length === 4);
  expect(heard).toEqual([null, '1', null, '']);
  expect(errors.length).toBeGreaterThan(0);
  await listening.close();
});

test('a cut connection is a transient error, a wrong statement is not', async () => {
  const victim = createDatabase({ url: database.url, role: 'reader', applicationName: 'victim', poolSize: 1 });
  const cut = victim.execute('select pg_sleep(20)').catch((error: unknown) => error);
  await eventually(async () => {
    const { rows } = await sql<{
      cut: boolean;
    }>`select pg_terminate_backend(pid) as cut from pg_stat_activity where application_name = 'victim' and state = 'active'`.execute(
      database.owner.db,
    );
    return rows[0]?.cut;
  });
  expect(isTransient(await cut)).toBe(true);
  expect(isTransient(await victim.execute('selec').catch((error: unknown) => error))).toBe(false);
  await victim.execute('select 1');
  await victim.close();

  const nowhere = createDatabase({ url: 'postgresql://nobody@127.0.0.1:1/none', role: 'reader', applicationName: 'nowhere' });
  expect(isTransient(await nowhere.execute('select 1').catch((error: unknown) => error))).toBe(true);
  await nowhere.close();
});

test('a connection whose other end is gone without a word costs one statement, never the pool', { timeout: 60_000 }, async () => {
  const { url, faults: proxy } = await startDatabaseLink(database.url);
  const pool = createDatabase({ url, role: 'writer', applicationName: 'half-open', poolSize: 1, statementTimeoutMs: 1_000 });
  try {
    await pool.execute('select 1');
    expect(proxy.silence(60_000)).toBe(1);
    // Statement by statement as processes run them, and a transaction, whose connection Kysely holds.
    const error = await pool.db
      .transaction()
      .execute((trx) => sql`select 1`.execute(trx))
      .catch((cause: unknown) => cause);
    expect(isTransient(error)).toBe(true);
    await pool.execute('select 1');
  } finally {
    await pool.close();
    await proxy.close();
  }
});
