import { sql } from 'kysely';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FencedError } from '../../../services/ledger/failures.ts';
import { createLedgerMetrics } from '../../../services/ledger/ledger-metrics.ts';
import type { Poster } from '../../../services/ledger/poster.ts';
import { createPoster } from '../../../services/ledger/poster.ts';
import { createPostgresLedgerStore } from '../../../services/ledger/store/postgres/postgres-ledger-store.ts';
import { priceVersion, sheetFromPerMillion } from '../../../services/pricing/price-sheet.ts';
import { systemClock } from '../../../services/runtime/clock.ts';
import { systemRandom } from '../../../services/runtime/random.ts';
import { eventually } from '../../harness/eventually.ts';
import type { TestDatabase } from '../../harness/postgres.ts';
import { createTestDatabase } from '../../harness/postgres.ts';
import { assign, silentLog, topicName } from './posting.ts';
import { addTestPrice, recordOf, recordsOf, settledEvent } from './settled-records.ts';

let database: TestDatabase;
let registry: Registry;
let poster: Poster;
let posted = 0;

beforeEach(async () => {
  database = await createTestDatabase();
  await addTestPrice(database.writer.db);
  registry = new Registry();
  posted = 0;
  poster = createPoster({
    store: createPostgresLedgerStore(database.writer),
    topic: topicName,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    metrics: createLedgerMetrics(registry),
    onPosted: () => {
      posted += 1;
    },
  });
});
afterEach(async () => {
  poster.giveUp();
  await database.drop();
});

const count = async (table: 'ledger_entries' | 'dead_letters'): Promise<number> => {
  const row = await database.writer.db
    .selectFrom(table)
    .select((e) => e.fn.countAll<bigint>().as('rows'))
    .executeTakeFirstOrThrow();
  return Number(row.rows);
};

async function metric(name: string): Promise<string[]> {
  return (await registry.metrics()).split('\n').filter((line) => line.startsWith(`turnpike_ledger_${name}`));
}

test('a record that breaks the transaction becomes a dead letter with its bytes, and the other 999 are posted in order', async () => {
  const { epoch } = await assign(database.writer);
  // A constraint that this one event offends and no parser knows of.
  await database.owner.execute("alter table ledger_entries add constraint no_poison check (error_code <> 'poison')");
  const records = recordsOf(1_000);
  const poison = recordOf(settledEvent({ errorCode: 'poison' }), { offset: 613n });
  records[613] = poison;

  await poster.post(0, epoch, records);

  await expect(count('ledger_entries')).resolves.toBe(999);
  const letters = await database.writer.db.selectFrom('dead_letters').selectAll().execute();
  expect(letters).toMatchObject([
    { log_offset: 613n, reason: 'refused_by_database', detail: '23514 no_poison', value: poison.value, headers: poison.headers },
  ]);
  const { requests } = await database.writer.db
    .selectFrom('usage_day')
    .select((e) => e.fn.sum<bigint>('requests').as('requests'))
    .executeTakeFirstOrThrow();
  expect(requests).toBe(999n);
  const { next_offset } = await database.writer.db.selectFrom('log_offsets').select('next_offset').executeTakeFirstOrThrow();
  expect(next_offset).toBe(1_000n);
});

test('batches of several partitions go in common transactions, and a fenced one neither posts nor holds up the others', async () => {
  const epochs = new Map<number, bigint>();
  for (let partition = 0; partition < 12; partition++) epochs.set(partition, (await assign(database.writer, partition)).epoch);
  await assign(database.writer, 5, 'successor');

  const results = await Promise.allSettled(
    [...epochs].map(([partition, epoch]) => poster.post(partition, epoch, recordsOf(10, {}, { partition }))),
  );

  expect(results.map(({ status }) => status)).toEqual(results.map((_, partition) => (partition === 5 ? 'rejected' : 'fulfilled')));
  expect(results[5]).toMatchObject({ reason: expect.any(FencedError) });
  await expect(count('ledger_entries')).resolves.toBe(110);
  expect(posted).toBeLessThan(6);
  const rows = await database.writer.db.selectFrom('log_offsets').select(['partition', 'next_offset']).orderBy('partition').execute();
  expect(rows.map(({ next_offset }) => next_offset)).toEqual(rows.map(({ partition }) => (partition === 5 ? 0n : 10n)));
});

test('a full transaction does not wait for one that hangs; what would not fill one does, and goes with the next', async () => {
  const epochs = await Promise.all([0, 1, 2, 3].map(async (partition) => (await assign(database.writer, partition)).epoch));
  const send = (partition: number, records: number): Promise<void> =>
    poster.post(partition, epochs[partition] ?? 0n, recordsOf(records, {}, { partition }));
  const blocked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const blocking = database.owner.db.transaction().execute(async (trx) => {
    await trx.selectFrom('log_offsets').select('owner').where('partition', '=', 0).forUpdate().execute();
    blocked.resolve();
    await release.promise;
  });
  await blocked.promise;

  const hanging = send(0, 10);
  await eventually(async () => {
    const waiting = await sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`.execute(
      database.owner.db,
    );
    return waiting.rows.length > 0;
  });
  await Promise.all([send(1, 1_000), send(2, 1_000)]);
  await expect(count('ledger_entries')).resolves.toBe(2_000);
  const small = send(3, 10);

  release.resolve();
  await Promise.all([blocking, hanging, small]);
  await expect(count('ledger_entries')).resolves.toBe(2_020);
  expect(posted).toBe(4);
});

test('a batch is run again, whole, until the database takes it, and its partition waits', async () => {
  const { epoch } = await assign(database.writer);
  // Every transaction is ended by the server before it can commit.
  await database.owner.execute(`create function hang_up() returns trigger language plpgsql security definer as $$
    begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
    create trigger hang_up after insert on usage_day for each statement execute function hang_up()`);
  let done = false;
  const posting = poster.post(0, epoch, recordsOf(20)).then(() => {
    done = true;
  });
  await eventually(() => poster.trouble()?.includes('the database does not take batches'));
  await expect(count('ledger_entries')).resolves.toBe(0);
  expect(done).toBe(false);

  await database.owner.execute('drop trigger hang_up on usage_day');
  await posting;
  await expect(count('ledger_entries')).resolves.toBe(20);
  expect(poster.trouble()).toBeNull();
});

test('giving up rejects what is not committed, and nothing of it is written', async () => {
  const { epoch } = await assign(database.writer);
  await database.owner.execute('revoke insert on ledger_entries from turnpike_writer');
  await expect(poster.post(0, epoch, recordsOf(3))).rejects.toThrow('permission denied');
  await expect(count('dead_letters')).resolves.toBe(0);
  expect(poster.trouble()).toContain('permission denied');
});

test('a price version that was missing is looked for again with the next batch', async () => {
  const { epoch } = await assign(database.writer);
  const sheet = sheetFromPerMillion({ input: '1', output: '3' });
  const priced = { priceVersion: priceVersion(sheet), costPico: '1600000000' };
  await poster.post(0, epoch, recordsOf(1, priced));
  await database.writer.db
    .insertInto('price_versions')
    .values({ name: priceVersion(sheet), sheet: JSON.stringify(sheet), created_at: new Date() })
    .execute();
  await poster.post(0, epoch, recordsOf(1, priced, { from: 1n }));
  const rows = await database.writer.db.selectFrom('ledger_entries').select(['unrated', 'cost', 'flags']).orderBy('log_offset').execute();
  expect(rows).toEqual([
    { unrated: 'price_version_unknown', cost: null, flags: ['price_version_unknown', 'cost_differs'] },
    { unrated: null, cost: 1_600_000_000n, flags: [] },
  ]);
});

test('what happened is counted: posted, duplicates, dead letters by reason, cost differences, lag', async () => {
  const { epoch } = await assign(database.writer);
  const [first, second] = recordsOf(2);
  if (first === undefined || second === undefined) throw new Error('no records');
  const odd = recordOf(settledEvent({ costPico: '1' }), { offset: 3n, timeMs: Date.now() - 2_000 });
  await poster.post(0, epoch, [first, second, { ...first, offset: 2n }, odd, { ...first, offset: 4n, value: Buffer.from('?') }]);

  await expect(metric('entries_posted_total')).resolves.toEqual(['turnpike_ledger_entries_posted_total 3']);
  await expect(metric('duplicates_total')).resolves.toEqual(['turnpike_ledger_duplicates_total 1']);
  await expect(metric('dead_letters_total')).resolves.toEqual(['turnpike_ledger_dead_letters_total{reason="unparseable"} 1']);
  await expect(metric('cost_differences_total')).resolves.toEqual(['turnpike_ledger_cost_differences_total 1']);
  await expect(metric('lag_seconds_bucket{le="1"}')).resolves.toEqual(['turnpike_ledger_lag_seconds_bucket{le="1"} 2']);
});
